import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { contentSha256, type Endpoints, networkIdOf, RequestGate } from '@eldernode/core'
import { createGraph } from '@eldernode/core/graph'
import { SqliteGraphStore } from '@eldernode/member/graph-store'
import { createVerifier, openAdminToken, openIdentity } from '@eldernode/member/keys'
import { acceptGun, createDial } from '@eldernode/member/links'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { Quotas, Tokens } from './access/index.ts'
import { admitSelf } from './admission.ts'
import { createAudits } from './audits/index.ts'
import type { Config } from './config.ts'
import { Digm } from './digm/index.ts'
import { Egress } from './egress/index.ts'
import { Encryption } from './encryption/index.ts'
import { createEvents } from './events/index.ts'
import { createServer } from './http/index.ts'
import { createImports } from './imports/index.ts'
import { createHashing, createIngest } from './ingest/index.ts'
import { openAgeIdentity } from './keys/index.ts'
import { openLibrary, SqliteCompatStore } from './library/index.ts'
import { Limits, limitsOf } from './limits/index.ts'
import { collect, createDescriber, expire, manifestOf, publish, Rotations, Turns } from './publishing/index.ts'
import { Policy } from './policy/index.ts'
import { GraphReplication, roomIn, settingsOf } from './replication/index.ts'
import { Alarms, replicationAlarms } from './standing/index.ts'
import { createSwarm } from './swarm/index.ts'
import { offerAgain, offerAll } from './offering.ts'
import { Parts } from './parts.ts'
import { checksOf } from './readiness.ts'
import { Undo } from './undo.ts'
import { Uploads } from './uploads/index.ts'
import { createUpkeep, PieceReports } from './upkeep/index.ts'
import { version } from './version.ts'

export interface RunningNode {
  /** The base URL that it listens on. */
  url: string
  /** Takes over those settings that may change while it runs. */
  change(config: Config): void
  /** Undoes the start in reverse, within 5 seconds. */
  stop(): Promise<void>
}

const stopMs = 5000

/** Builds and starts a seeder. On failure what was started already is stopped before the error is thrown. */
export async function startNode(config: Config, log: Logger): Promise<RunningNode> {
  const undo = new Undo(log)
  const stop = () => undo.all(stopMs)
  try {
    return { ...(await start(config, log, undo)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Reads top to bottom as the start-up order. */
async function start(config: Config, log: Logger, undo: Undo): Promise<Omit<RunningNode, 'stop'>> {
  const { http, network, swarm: swarmConfig } = config
  const now = Date.now
  const parts = new Parts(undo)
  const turns = new Turns()

  mkdirSync(config.data, { recursive: true, mode: 0o750 })
  const identity = openIdentity(join(config.data, 'node.key'))
  const ageIdentity = await openAgeIdentity(join(config.data, 'age.key'))
  const ownerKey = network.owner === undefined ? openIdentity(join(config.data, 'owner.key')) : undefined
  const owner = ownerKey?.id ?? network.owner ?? ''
  if (network.open) log.warn('network.open is set: every node is admitted, and may fill the disks of this network')

  const hashing = createHashing()
  undo.later('hashing', () => hashing.close())
  const storage = config.storage.folder ?? config.data
  const library = await openLibrary({ folder: config.data, storage, digest: hashing.digest })
  undo.later('library', () => library.close())
  let changing = config
  const tokens = new Tokens({
    store: library.tokens,
    admin: openAdminToken(join(config.data, 'admin.token')),
    granted: (infoHash, reader) => {
      const item = library.head(infoHash)
      return item !== undefined && encryption.grants.isReader(item, reader)
    },
    now,
  })
  const room = roomIn(library, { ...config.storage, folder: storage, coming: () => uploads.waiting().bytes })
  const quotas = new Quotas({
    store: library.quotas,
    waiting: (of) => uploads.waiting(of),
    standard: () => changing.quota,
    room: () => room.upload(),
    holds: (sha256, of) => library.ownOrPublic(sha256, of) !== undefined,
    now,
  })
  const ingest = createIngest({
    hashing,
    stage: () => library.stage(),
    hold: (bytes) => library.hold(bytes),
    maxItemBytes: http.maxUploadBytes,
  })

  const egress = new Egress({ allowPrivate: network.allowPrivate, allowedOrigins: [] })
  undo.later('egress', () => egress.close())
  const registry = new Registry()
  const pieces = new PieceReports({ library, registry, log })
  undo.later('piece reports', () => pieces.close())
  const swarm = createSwarm({
    port: swarmConfig.port,
    host: swarmConfig.host ?? http.host,
    trackers: swarmConfig.trackers,
    iceServers: swarmConfig.iceServers,
    limits: limitsOf(swarmConfig),
    itemLimits: (infoHash) => replication.limitsOf(infoHash, library.controls(infoHash)),
    shelf: library,
    ledger: pieces,
    egress,
    logger: log,
  })

  const limits = new Limits({ settings: swarmConfig, swarm, log, now })

  const verifier = createVerifier()
  const store = new SqliteGraphStore(join(config.data, 'graph.db'))
  undo.later('graph store', () => store.close())
  const maps = config.digm.maps ? new SqliteCompatStore(join(config.data, 'maps.db')) : undefined
  undo.later('public maps', () => maps?.close())
  const graph = createGraph({
    network: { owner, open: network.open },
    identity,
    ...(ownerKey !== undefined && { owner: ownerKey }),
    verifier,
    store,
    ...(maps !== undefined && { compat: maps }),
    dial: createDial(egress),
    peers: network.peers,
    onFault: (error) => log.error({ err: error }, 'the graph failed at something'),
    now,
  })
  const encryption = new Encryption({ id: identity.id, own: ageIdentity, library, graph })

  let publicUrl = ''
  const endpoints = (): Endpoints => ({
    http: publicUrl,
    gun: `${publicUrl.replace(/^http/, 'ws')}/gun`,
    ...(parts.isUp('swarm') && { bittorrent: swarmConfig.address ?? `${new URL(publicUrl).hostname}:${swarm.port}` }),
  })
  const upkeep = createUpkeep({
    library,
    expire: (infoHash) => expire(publishing, infoHash),
    previews: (item) => encryption.previews(item),
    collect: (infoHash) => collect(publishing, infoHash),
    checked: (infoHash) => replication.touch(infoHash),
    knowsTime: () => replication.knowsTime(),
    storageChanged: (state) => {
      // Ahead of the reconciliation, which announces each item it offers at once.
      void offerAgain(state, library, swarm, log).then(() => replication.storageChanged())
    },
    now,
    log,
  })
  const policy = new Policy(config.policy)
  const replication: GraphReplication = new GraphReplication({
    identity,
    graph,
    library,
    swarm,
    egress,
    hash: hashing.digest,
    turns,
    room,
    ...settingsOf(config),
    policy,
    dials: network.peers.length > 0,
    announces: swarmConfig.trackers.length > 0,
    manifestOf: (item) => manifestOf(item, swarmConfig.trackers),
    contentDigest: contentSha256,
    retracted: () => upkeep.nudge(),
    released: (event) => events.journal.emit(event),
    endpoints,
    version,
    now,
    log,
  })

  const allowedOrigins = config.webhooks.allowedOrigins.map((url) => new URL(url).origin)
  const webhookEgress = new Egress({ allowPrivate: network.allowPrivate, allowedOrigins })
  undo.later('egress of webhooks', () => webhookEgress.close())
  const events = createEvents({
    self: identity.id,
    graph,
    library,
    egress: webhookEgress,
    copies: replication,
    permits: (of, scope) => tokens.permits(of, scope),
    log,
    now,
  })

  const checks = () =>
    checksOf({ id: identity.id, parts, library, graph, replication, missingTools: () => describer.missing() })
  const publishing = {
    id: identity.id,
    ingest,
    encryption,
    library,
    swarm,
    graph,
    replication,
    quotas,
    turns,
    trackers: swarmConfig.trackers,
    purgeAfterMs: config.retention.purgeAfter * 1000,
    now,
    retentionChanged: () => upkeep.nudge(),
    describe: () => describer.look(),
  }
  const describer = createDescriber(publishing, { ...config.media, log })
  const rotations = new Rotations({ services: publishing, log })
  const uploads: Uploads = new Uploads({
    library,
    publish: (files, upload) => publish(publishing, files, upload),
    follow: (size) => ingest.follow(size),
    quotas,
    expireAfter: config.uploads.expireAfter * 1000,
    most: config.uploads.most,
    now,
    log,
  })
  const importing = createImports({
    settings: config.imports,
    services: publishing,
    maxBytes: http.maxUploadBytes,
    events: events.journal,
    registry,
    log,
    now,
  })
  const digm = new Digm({
    self: identity.id,
    settings: config.digm,
    maps: graph.compat,
    imports: importing.imports,
    library,
    replicas: config.replicas,
    network: replication,
    endpoint: () => publicUrl,
    log,
    now,
  })
  const { journal } = events
  const audits = createAudits({ identity, graph, library, replication, egress, registry, journal, log, now })
  const alarms = new Alarms({ sources: [replicationAlarms(replication, now), () => audits.alarms()], now })
  const server = await createServer({
    ...publishing,
    audits,
    standing: replication,
    alarms: () => alarms.current(),
    recipient: ageIdentity.recipient,
    version,
    network: { id: networkIdOf(owner), owner, open: network.open, owned: ownerKey !== undefined },
    ...config.node,
    tokens,
    rates: () => changing.rate,
    trustedProxies: http.trustedProxies,
    nodes: new RequestGate({ verifier, admits: (node) => graph.admits(node), now }),
    rotations,
    events,
    imports: importing.imports,
    mapWritten: (soul) => digm.asked(soul),
    uploads,
    registry,
    log,
    replicas: config.replicas,
    origins: config.cors.origins,
    compat: config.compat,
    limits: { maxUploadBytes: http.maxUploadBytes, stallMs: http.stallSeconds * 1000 },
    endpoints,
    checks,
  })
  const url = await server.listen(http)
  undo.later('http', () => server.close())
  publicUrl = http.publicUrl?.replace(/\/+$/, '') ?? url
  if (http.publicUrl === undefined && ['0.0.0.0', '::'].includes(http.host)) {
    log.warn({ publicUrl }, 'others are told this address, which leads nowhere but here: set http.publicUrl')
  }
  log.info({ url, publicUrl, node: identity.id }, 'listening')

  await parts.begin('limits', limits)
  await parts.begin('swarm', {
    start: async () => {
      await swarm.start()
      await offerAll(library, swarm)
    },
    close: () => swarm.close(),
  })
  await parts.begin('graph', graph)
  if (ownerKey !== undefined) await admitSelf(graph, identity.id, config.node.operator, now())
  const links = acceptGun(server.server, graph, undefined, (socket) => server.keep(socket))
  undo.later('links', links)
  const others = { replication, events, audits, imports: importing, uploads, digm, rotations, upkeep, media: describer }
  for (const [name, part] of Object.entries(others)) await parts.begin(name, part)
  log.info('started')
  return {
    url,
    change: (changed) => {
      changing = changed
      log.level = changed.log.level
      limits.change(changed.swarm)
      if (policy.change(changed.policy)) replication.reconsider()
    },
  }
}
