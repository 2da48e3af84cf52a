/** Who may know whom. Paths are folders (or files) below the repository's top; the longest that fits a file is its room. */
export interface Room {
  path: string
  /** Rooms whose `index.ts` it may import. Absent: this rule does not limit it. */
  knows?: readonly string[]
}

const seeder = 'apps/seeder/src'
const tracker = 'apps/tracker/src'
const member = 'packages/member/src'
const below = ['ingest', 'swarm', 'library', 'keys', 'egress'].map((name) => `${seeder}/${name}`)

const core = 'packages/core/src'
const coreRooms = [
  'identity',
  'envelope',
  'manifest',
  'encryption',
  'holdings',
  'membership',
  'denials',
  'presence',
  'placement',
  'proof',
  'reconcile',
  'requests',
]
const inCore = (...names: string[]): string[] => ['errors.ts', ...names].map((name) => `${core}/${name}`)

export const rooms: readonly Room[] = [
  { path: `${core}/index.ts` },
  { path: `${core}/errors.ts`, knows: [] },
  { path: `${core}/identity`, knows: inCore() },
  { path: `${core}/envelope`, knows: inCore('identity') },
  { path: `${core}/manifest`, knows: inCore('identity', 'envelope') },
  { path: `${core}/encryption`, knows: inCore('identity', 'manifest') },
  { path: `${core}/holdings`, knows: inCore('identity', 'manifest') },
  { path: `${core}/membership`, knows: inCore('identity') },
  { path: `${core}/denials`, knows: inCore('manifest') },
  { path: `${core}/presence`, knows: inCore('identity', 'placement') },
  { path: `${core}/placement`, knows: inCore('identity') },
  { path: `${core}/proof`, knows: inCore('identity', 'holdings') },
  {
    path: `${core}/reconcile`,
    knows: inCore('identity', 'holdings', 'placement', 'presence', 'proof'),
  },
  { path: `${core}/requests`, knows: inCore('identity') },
  { path: `${core}/settings`, knows: inCore() },
  { path: `${core}/graph`, knows: inCore(...coreRooms) },
  { path: `${core}/testing`, knows: inCore(...coreRooms, 'graph') },
  { path: `${member}/addresses`, knows: [] },
  { path: `${member}/keys`, knows: [] },
  { path: `${member}/links`, knows: [`${member}/addresses`] },
  { path: `${member}/lock`, knows: [] },
  { path: `${member}/graph-store`, knows: [] },
  {
    path: `${seeder}/main.ts`,
    knows: ['compose.ts', 'config.ts', 'aliases.ts', 'reload.ts', 'settings-source.ts', 'version.ts'].map(
      (name) => `${seeder}/${name}`,
    ),
  },
  {
    path: `${seeder}/compose.ts`,
    knows: [
      ...below,
      ...[
        'http',
        'limits',
        'policy',
        'replication',
        'standing',
        'audits',
        'upkeep',
        'publishing',
        'imports',
        'uploads',
        'access',
        'encryption',
        'events',
        'digm',
        'media',
        'admission.ts',
        'config.ts',
        'offering.ts',
        'parts.ts',
        'readiness.ts',
        'undo.ts',
        'version.ts',
      ].map((name) => `${seeder}/${name}`),
    ],
  },
  { path: `${seeder}/aliases.ts`, knows: [`${seeder}/config.ts`] },
  { path: `${seeder}/config.ts`, knows: [`${seeder}/policy`, `${seeder}/swarm`] },
  { path: `${seeder}/policy`, knows: [] },
  { path: `${seeder}/standing`, knows: [] },
  { path: `${seeder}/reload.ts`, knows: [`${seeder}/config.ts`] },
  { path: `${seeder}/settings-source.ts`, knows: [`${seeder}/config.ts`, `${seeder}/aliases.ts`] },
  { path: `${seeder}/undo.ts`, knows: [] },
  { path: `${seeder}/turns.ts`, knows: [] },
  { path: `${seeder}/version.ts`, knows: [] },
  { path: `${seeder}/admission.ts`, knows: [] },
  { path: `${seeder}/offering.ts`, knows: [`${seeder}/library`, `${seeder}/swarm`] },
  { path: `${seeder}/parts.ts`, knows: [`${seeder}/undo.ts`] },
  {
    path: `${seeder}/readiness.ts`,
    knows: ['http', 'library', 'parts.ts', 'replication'].map((name) => `${seeder}/${name}`),
  },
  { path: `${seeder}/cli`, knows: [] },
  {
    path: `${seeder}/http`,
    knows: [
      ...below,
      ...[
        'publishing',
        'access',
        'audits',
        'encryption',
        'events',
        'imports',
        'media',
        'replication',
        'standing',
        'uploads',
      ].map((name) => `${seeder}/${name}`),
    ],
  },
  {
    path: `${seeder}/publishing`,
    knows: [...below, ...['access', 'encryption', 'events', 'media', 'turns.ts'].map((name) => `${seeder}/${name}`)],
  },
  { path: `${seeder}/digm`, knows: [`${seeder}/library`, `${seeder}/imports`] },
  { path: `${seeder}/uploads`, knows: [...below, `${seeder}/access`, `${seeder}/publishing`] },
  { path: `${seeder}/imports`, knows: [...below, `${seeder}/publishing`, `${seeder}/events`] },
  { path: `${seeder}/access`, knows: [`${seeder}/library`, `${seeder}/keys`] },
  {
    path: `${seeder}/encryption`,
    knows: [`${seeder}/library`, `${seeder}/keys`, `${seeder}/ingest`, `${seeder}/turns.ts`],
  },
  { path: `${seeder}/events`, knows: ['library', 'egress', 'standing'].map((name) => `${seeder}/${name}`) },
  { path: `${seeder}/media`, knows: [`${seeder}/library`] },
  { path: `${seeder}/limits`, knows: below },
  { path: `${seeder}/replication`, knows: [...below, `${seeder}/policy`, `${seeder}/standing`, `${seeder}/turns.ts`] },
  { path: `${seeder}/audits`, knows: [...below, `${seeder}/replication`, `${seeder}/standing`] },
  { path: `${seeder}/upkeep`, knows: below },
  { path: `${seeder}/ingest`, knows: [`${seeder}/library`] },
  { path: `${seeder}/swarm`, knows: [`${seeder}/egress`] },
  { path: `${seeder}/library`, knows: [] },
  { path: `${seeder}/keys`, knows: [] },
  { path: `${seeder}/egress`, knows: [] },
  {
    path: `${tracker}/main.ts`,
    knows: [
      'access',
      'cluster',
      'compose.ts',
      'compose-first.ts',
      'config.ts',
      'own-files.ts',
      'reload.ts',
      'transport',
    ].map((name) => `${tracker}/${name}`),
  },
  {
    path: `${tracker}/compose-first.ts`,
    knows: ['cluster', 'config.ts', 'network', 'snapshot-file.ts'].map((name) => `${tracker}/${name}`),
  },
  {
    path: `${tracker}/worker.ts`,
    knows: ['cluster', 'compose.ts', 'shared-clock.ts'].map((name) => `${tracker}/${name}`),
  },
  { path: `${tracker}/shared-clock.ts`, knows: [] },
  { path: `${tracker}/shared.ts`, knows: [] },
  { path: `${tracker}/connection-handle.ts`, knows: [] },
  { path: `${tracker}/reload.ts`, knows: [`${tracker}/config.ts`] },
  {
    path: `${tracker}/compose.ts`,
    knows: [
      'access',
      'cluster',
      'network',
      'operations',
      'transport',
      'signalling',
      'swarm',
      'wire',
      'config.ts',
      'snapshot-file.ts',
    ].map((name) => `${tracker}/${name}`),
  },
  { path: `${tracker}/network`, knows: [`${tracker}/access`] },
  { path: `${tracker}/snapshot-file.ts`, knows: [`${tracker}/swarm`] },
  { path: `${tracker}/config.ts`, knows: [`${tracker}/settings-together.ts`] },
  { path: `${tracker}/settings-together.ts`, knows: [] },
  {
    path: `${tracker}/own-files.ts`,
    knows: [`${tracker}/config.ts`, `${tracker}/snapshot-file.ts`],
  },
  {
    path: `${tracker}/transport`,
    knows: ['access', 'connection-handle.ts', 'ledger', 'shared.ts', 'signalling', 'wire', 'swarm'].map(
      (name) => `${tracker}/${name}`,
    ),
  },
  {
    path: `${tracker}/cluster`,
    knows: ['transport', 'signalling', 'swarm', 'config.ts', 'connection-handle.ts'].map(
      (name) => `${tracker}/${name}`,
    ),
  },
  { path: `${tracker}/signalling`, knows: ['access', 'wire', 'swarm'].map((name) => `${tracker}/${name}`) },
  { path: `${tracker}/access`, knows: [`${tracker}/ledger`, `${tracker}/swarm`] },
  { path: `${tracker}/swarm`, knows: [] },
  { path: `${tracker}/wire`, knows: [`${tracker}/swarm`] },
  { path: `${tracker}/ledger`, knows: [] },
  { path: `${tracker}/admin`, knows: [`${tracker}/ledger`] },
  {
    path: `${tracker}/operations`,
    knows: ['admin', 'ledger', 'shared.ts', 'swarm'].map((name) => `${tracker}/${name}`),
  },
]

/** Packages that may be imported below one folder only, so that each could be replaced without touching the rest. */
export const onlyIn: Readonly<Record<string, readonly string[]>> = {
  gun: ['packages/core/src/graph'],
  webtorrent: [`${seeder}/swarm`],
  'bittorrent-protocol': [`${seeder}/swarm`],
  'node-datachannel': [`${seeder}/swarm`],
  'node:sqlite': [`${member}/graph-store`, `${member}/lock`, `${seeder}/library`, `${tracker}/ledger`],
  '@redis/client': [`${tracker}/ledger`],
  ws: [`${member}/links`, `${seeder}/swarm`, `${tracker}/transport`],
  fastify: [`${seeder}/http`],
  'bittorrent-tracker': [],
}

/** Packages of this workspace that each package may import. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  'packages/core': [],
  'packages/member': ['@eldernode/core'],
  'packages/client': ['@eldernode/core'],
  'apps/seeder': ['@eldernode/core', '@eldernode/member'],
  'apps/tracker': ['@eldernode/core', '@eldernode/member'],
  'apps/dashboard': ['@eldernode/client'],
}
