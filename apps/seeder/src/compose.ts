import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Endpoints, networkIdOf } from '@eldernode/core'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { z } from 'zod'
import type { Config } from './config.ts'
import { Egress } from './egress/index.ts'
import { type Check, createApp, drain } from './http/index.ts'
import { createHashing, createIngest } from './ingest/index.ts'
import { openAdminToken, openIdentity } from './keys/index.ts'
import { openLibrary } from './library/index.ts'
import { standInGraph, standInReplication } from './stand-in.ts'
import { WebTorrentSwarm } from './swarm/index.ts'
import { Undo } from './undo.ts'

export interface RunningNode {
  /** The base URL that it listens on. */
  url: string
  /** Undoes the start in reverse, within 5 seconds. */
  stop(): Promise<void>
}

export const version = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))).version

const stopMs = 5000

/** Builds and starts a seeder. Reads top to bottom as the start-up order. */
export async function startNode(config: Config, log: Logger): Promise<RunningNode> {
  const undo = new Undo(log)
  const stop = () => undo.all(stopMs)
  try {
    return { url: await start(config, log, undo), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(config: Config, log: Logger, undo: Undo): Promise<string> {
  const now = Date.now
  const up = new Set<string>()

  mkdirSync(config.data, { recursive: true, mode: 0o750 })
  const identity = openIdentity(join(config.data, 'node.key'))
  const adminToken = openAdminToken(join(config.data, 'admin.token'))
  const ownerKey = config.network.owner === undefined ? openIdentity(join(config.data, 'owner.key')) : undefined
  const owner = config.network.owner ?? ownerKey?.id ?? ''

  const hashing = createHashing()
  undo.later('hashing', () => hashing.close())
  const library = await openLibrary({ folder: config.data, digest: hashing.digest })
  undo.later('library', () => library.close())
  const ingest = createIngest({
    hashing,
    stage: () => library.stage(),
    maxItemBytes: config.http.maxUploadBytes,
  })

  const egress = new Egress({ allowPrivate: config.network.allowPrivate, allowedOrigins: [] })
  undo.later('egress', () => egress.close())
  const swarm = new WebTorrentSwarm({
    port: config.swarm.port,
    host: config.swarm.host ?? config.http.host,
    trackers: config.swarm.trackers,
    maxPeers: config.swarm.maxConns,
    egress,
    logger: log,
  })
  const graph = standInGraph(identity.id)
  const replication = standInReplication()

  let publicUrl = ''
  const endpoints = (): Endpoints => ({
    http: publicUrl,
    gun: `${publicUrl.replace(/^http/, 'ws')}/gun`,
    ...(up.has('swarm') && {
      bittorrent: config.swarm.address ?? `${new URL(publicUrl).hostname}:${swarm.port}`,
    }),
  })
  const checks = (): Check[] => [
    { name: 'library', ok: true },
    ...['swarm', 'graph', 'replication'].map((name) => ({ name, ok: up.has(name), reason: 'starting' })),
    { name: 'membership', ok: graph.admits(identity.id), reason: 'the network has not admitted this node yet' },
  ]
  const app = await createApp({
    id: identity.id,
    version,
    adminToken,
    ingest,
    library,
    swarm,
    graph,
    replication,
    network: { id: networkIdOf(owner), owner, open: config.network.open, owned: ownerKey !== undefined },
    zone: config.node.zone,
    operator: config.node.operator,
    registry: new Registry(),
    log,
    replicas: config.replicas,
    trackers: config.swarm.trackers,
    limits: { maxUploadBytes: config.http.maxUploadBytes, stallMs: config.http.stallSeconds * 1000 },
    purgeAfterMs: config.retention.purgeAfter * 1000,
    endpoints,
    capacity: async () => ({ bytes: 0, used: library.totals().bytes, free: 0 }),
    checks,
    now,
  })

  const url = await app.listen({ host: config.http.host, port: config.http.port })
  undo.later('http', () => drain(app.server, () => app.close()))
  publicUrl = config.http.publicUrl?.replace(/\/+$/, '') ?? url
  log.info({ url, publicUrl, node: identity.id }, 'listening')

  await swarm.start()
  undo.later('swarm', () => swarm.close())
  up.add('swarm')
  await graph.start()
  undo.later('graph', () => graph.close())
  up.add('graph')
  await replication.start()
  undo.later('replication', () => replication.close())
  up.add('replication')
  log.info('started')
  return url
}
