import { expect, onTestFinished, test, vi } from 'vitest'
import { networkIdOf, WebIdentity, WebVerifier } from '../identity/index.ts'
import { socketPair } from '../testing/socket-pair.ts'
import { frameSchema } from './frames.ts'
import { createGraph } from './graph.ts'
import { Handshake } from './handshake.ts'
import { limits } from './limits.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Dial, Graph, Socket } from './port.ts'

const owner = await WebIdentity.generate()
const verifier = new WebVerifier()
const network = networkIdOf(owner.id)
const within = { timeout: 5000, interval: 10 }
/** What the far end learns when a socket was ended without a closing handshake (RFC 6455, section 7.1.5). */
const terminated = 1006

async function start(dial: Dial = () => Promise.reject(new Error('nobody')), peers: string[] = []): Promise<Graph> {
  const graph = createGraph({
    network: { owner: owner.id },
    identity: await WebIdentity.generate(),
    verifier,
    store: new MemoryGraphStore(),
    dial,
    peers,
    onFault: (error) => {
      throw error
    },
  })
  onTestFinished(() => graph.close())
  await graph.start()
  return graph
}

interface Far {
  socket: Socket
  ended: number[]
}

function come(graph: Graph): Far {
  const [socket, there] = socketPair()
  const ended: number[] = []
  socket.onClose((code) => ended.push(code))
  graph.accept(there)
  return { socket, ended }
}

function crowd(graph: Graph, count: number): Far[] {
  return Array.from({ length: count }, () => come(graph))
}

/** Comes as a node of the network does, which proves its key. */
async function comeProving(graph: Graph): Promise<Far> {
  const identity = await WebIdentity.generate()
  const far = come(graph)
  const send = (frame: object): void => far.socket.send(JSON.stringify(frame))
  const handshake = new Handshake({ network, identity, verifier, dialled: true, send })
  far.socket.onMessage((text) => {
    const frame = frameSchema.parse(JSON.parse(text))
    if (frame.en === 'hello') void handshake.take(frame)
  })
  handshake.begin()
  return far
}

const proven = (graph: Graph): number => graph.stats().links.filter(({ member }) => member !== undefined).length

test('a full node gives the place of the unproven link that has been quiet longest, never that of a node', async () => {
  const graph = await start()
  const [talker, quiet, ...others] = crowd(graph, limits.links)
  talker?.socket.send('{}')
  const last = others.at(-1)
  last?.socket.send('{"#":"a","dam":"mob"}')
  await vi.waitFor(() => expect(graph.stats().refused['dam']).toBe(1), within)

  const node = await comeProving(graph)
  await vi.waitFor(() => expect(proven(graph)).toBe(1), within)
  await vi.waitFor(() => expect(quiet?.ended).toEqual([terminated]), within)
  expect([talker, ...others].flatMap((far) => far?.ended)).toEqual([])

  // Of the first crowd only the two that spoke are left, and the node; then not even those two.
  crowd(graph, limits.links - 3)
  await vi.waitFor(() => expect(others.flatMap(({ ended }) => ended)).toHaveLength(others.length - 1), within)
  expect([talker?.ended, last?.ended]).toEqual([[], []])
  crowd(graph, 100)
  await vi.waitFor(() => expect([talker?.ended, last?.ended]).toEqual([[terminated], [terminated]]), within)
  expect(node.ended).toEqual([])
  const { links, refused } = graph.stats()
  expect(links).toHaveLength(limits.links)
  expect(refused).toMatchObject({ displaced: 1 + limits.links - 3 + 100 })
  expect(refused).not.toHaveProperty('links')
})

test('proven nodes and dialled places keep their links: one more is refused at once', async () => {
  const dialled: number[] = []
  const silent: Dial = async () => {
    const [here, there] = socketPair()
    there.onClose((code) => dialled.push(code))
    return here
  }
  const graph = await start(silent, ['ws://silent/gun'])
  await vi.waitFor(() => expect(graph.stats().links).toHaveLength(1), within)
  const nodes = await Promise.all(Array.from({ length: limits.links - 1 }, () => comeProving(graph)))
  await vi.waitFor(() => expect(proven(graph)).toBe(limits.links - 1), within)

  const late = come(graph)
  await vi.waitFor(() => expect(late.ended).toEqual([terminated]), within)
  expect(graph.stats().refused).toEqual({ links: 1 })
  expect([...dialled, ...nodes.flatMap(({ ended }) => ended)]).toEqual([])

  nodes[0]?.socket.close()
  await vi.waitFor(() => expect(graph.stats().links).toHaveLength(limits.links - 1), within)
  const next = come(graph)
  expect(graph.stats().links).toHaveLength(limits.links)
  expect(next.ended).toEqual([])
})
