import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Certificate } from '@eldernode/core'
import { createGraph } from '@eldernode/core/graph'
import type { Graph } from '@eldernode/core/graph'
import { Addresses } from '@eldernode/member/addresses'
import { SqliteGraphStore } from '@eldernode/member/graph-store'
import { createVerifier } from '@eldernode/member/keys'
import { acceptGun, createDial } from '@eldernode/member/links'
import { heartbeatOf, identityOfSeed, manifestOf } from './graph-values.ts'

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
    dial: createDial(new Addresses({ allowPrivate: settings.allowPrivate ?? true })),
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

const argument = process.argv[2]
if (argument !== undefined) await run(JSON.parse(argument) as GraphNodeSettings)
