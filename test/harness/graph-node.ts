import { createHash, createPrivateKey } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Certificate, Heartbeat, Manifest } from '@eldernode/core'
import { createGraph } from '@eldernode/core/graph'
import type { Graph } from '@eldernode/core/graph'
import { Egress } from '@eldernode/seeder/egress'
import { createVerifier, identityOf } from '@eldernode/seeder/keys'
import { SqliteGraphStore } from '@eldernode/seeder/library'
import { acceptGun, createDial } from '@eldernode/seeder/links'

/** How a graph node is started: by `fork`, with this as JSON in its first argument. Keys are Ed25519 seeds in hex. */
export interface GraphNodeSettings {
  folder: string
  seed: string
  /** The network owner's seed; only a node with `owner: true` may sign with it. */
  ownerSeed: string
  owner: boolean
  port: number
  peers: string[]
  allowPrivate?: boolean
}

/** What the parent may ask; each is answered by a message of the same `n`. */
export type GraphCommand =
  | { do: 'certify'; certificate: Certificate }
  | { do: 'publish'; from: number; count: number; salt: string; parallel: number }
  | { do: 'heartbeat'; gun?: string }
  | { do: 'state' }
  | { do: 'has'; pub: string; infoHash: string }
  | { do: 'close' }

export interface GraphNodeState {
  manifests: number
  /** Milliseconds since 1970 at which the last manifest was seen first. */
  lastSeen: number
  rss: number
  /** Seconds of processor time since the start. */
  cpu: number
  heartbeats: number
  faults: string[]
  /** The most processor time that the event loop spent before a timer had its turn, in milliseconds. */
  blocked: number
  stats: ReturnType<Graph['stats']>
}

const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function identityOfSeed(seed: string): ReturnType<typeof identityOf> {
  return identityOf(
    createPrivateKey({ key: Buffer.concat([pkcs8, Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8' }),
  )
}

/** The manifest number `n` of a series: about as large as one of a real single-file item. */
export function manifestOf(salt: string, n: number): Manifest {
  const infoHash = createHash('sha1').update(`${salt}${n}`).digest('hex')
  const sha256 = createHash('sha256').update(infoHash).digest('hex')
  const name = `Holiday film number ${n} of the series ${salt}.mp4`
  return {
    infoHash,
    name,
    size: 1_000_000 + n,
    pieceLength: 16_384,
    files: [{ path: name, size: 1_000_000 + n, sha256, type: 'video/mp4' }],
    trackers: ['http://127.0.0.1:8000/announce', 'udp://127.0.0.1:8000', 'ws://127.0.0.1:8000'],
    replicas: { min: 2, target: 3 },
    access: 'public',
    tags: ['holiday', 'film'],
    createdAt: 1_700_000_000_000 + n,
    state: 'live',
  }
}

async function run(settings: GraphNodeSettings): Promise<void> {
  const ownerIdentity = identityOfSeed(settings.ownerSeed)
  const store = new SqliteGraphStore(join(settings.folder, 'graph.db'))
  const faults: string[] = []
  const graph = createGraph({
    network: { owner: ownerIdentity.id },
    identity: identityOfSeed(settings.seed),
    ...(settings.owner && { owner: ownerIdentity }),
    verifier: createVerifier(),
    store,
    dial: createDial(new Egress({ allowPrivate: settings.allowPrivate ?? true, allowedOrigins: [] })),
    peers: settings.peers,
    onFault: (error) => faults.push(String(error)),
  })
  const server = createServer()
  const unhook = acceptGun(server, graph)
  await new Promise<void>((resolve) => server.listen(settings.port, '127.0.0.1', resolve))

  const seen = new Set<string>()
  for (const { soul, key } of graph.entries('m')) seen.add(`${soul} ${key}`)
  let lastSeen = 0
  graph.watch('m', ({ soul, key }) => {
    seen.add(`${soul} ${key}`)
    lastSeen = Date.now()
  })
  await graph.start()

  let blocked = 0
  let turn = process.threadCpuUsage()
  const pulse = setInterval(() => {
    const { user, system } = process.threadCpuUsage(turn)
    blocked = Math.max(blocked, (user + system) / 1000)
    turn = process.threadCpuUsage()
  }, 5)

  const answer = async (command: GraphCommand): Promise<unknown> => {
    switch (command.do) {
      case 'certify':
        return await graph.publish('p', command.certificate.member, command.certificate)
      case 'publish':
        return await publish(graph, command)
      case 'heartbeat':
        return await graph.publish('hb', '', heartbeatOf(command.gun))
      case 'has':
        return graph.get('m', command.pub, command.infoHash) !== undefined
      case 'state': {
        const state: GraphNodeState = {
          manifests: seen.size,
          lastSeen,
          rss: process.memoryUsage().rss,
          cpu: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
          heartbeats: [...graph.entries('hb')].length,
          faults,
          blocked: Math.round(blocked),
          stats: graph.stats(),
        }
        blocked = 0
        return state
      }
      case 'close': {
        const started = performance.now()
        await graph.close()
        const took = performance.now() - started
        clearInterval(pulse)
        unhook()
        server.close()
        store.close()
        return took
      }
    }
  }
  process.on('message', ({ n, command }: { n: number; command: GraphCommand }) => {
    answer(command).then(
      (result) => {
        process.send?.({ n, result })
        // Nothing is left that keeps the process alive; were it otherwise, the test would see it hang.
        if (command.do === 'close') process.disconnect()
      },
      (error: unknown) => process.send?.({ n, error: String(error) }),
    )
  })
  const address = server.address()
  process.send?.({ n: 0, result: typeof address === 'object' ? address?.port : undefined })
}

async function publish(
  graph: Graph,
  { from, count, salt, parallel }: GraphCommand & { do: 'publish' },
): Promise<number> {
  const started = performance.now()
  let next = from
  const worker = async (): Promise<void> => {
    while (next < from + count) {
      const manifest = manifestOf(salt, next++)
      await graph.publish('m', manifest.infoHash, manifest)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return performance.now() - started
}

function heartbeatOf(gun: string | undefined): Heartbeat {
  return {
    endpoints: { http: 'http://127.0.0.1:1', ...(gun !== undefined && { gun }) },
    zone: '',
    operator: 'test',
    state: 'active',
    capacity: { bytes: 1000, used: 0, free: 1000 },
    load: { up: 0, down: 0, connections: 0 },
    counts: { items: 0, awake: 0, queue: 0 },
    version: 'test',
  }
}

const argument = process.argv[2]
if (process.send !== undefined && process.argv[1]?.endsWith('graph-node.ts') && argument !== undefined) {
  await run(JSON.parse(argument) as GraphNodeSettings)
}
