import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebIdentity, WebVerifier } from '../identity/index.ts'
import { manifestOf } from '../testing/bodies.ts'
import { socketPair } from '../testing/socket-pair.ts'
import { maps } from './compat/maps.ts'
import { MemoryCompatStore } from './compat/memory-store.ts'
import { createGraph } from './graph.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Graph } from './port.ts'

const within = { timeout: 10_000, interval: 10 }

let owner: WebIdentity
let clients = 0
let graphs: Map<string, Graph>
let near: Awaited<ReturnType<typeof node>>
let far: Awaited<ReturnType<typeof node>>

beforeEach(async () => {
  owner = await WebIdentity.generate()
  graphs = new Map()
  near = await node('near', [], { owner })
  far = await node('far', ['near'])
  for (const member of [near.identity.id, far.identity.id]) {
    const roles: ('publisher' | 'seeder')[] = ['publisher', 'seeder']
    const term = { issuedAt: Date.now(), expiresAt: Date.now() + 3_600_000 }
    await near.graph.publish('p', member, { member, roles, operator: '', ...term })
  }
  await vi.waitUntil(() => far.graph.admits(near.identity.id) && far.graph.stats().links[0]?.inSync, within)
})

async function node(name: string, peers: string[], more: { owner?: WebIdentity; without?: boolean } = {}) {
  const identity = await WebIdentity.generate()
  const store = new MemoryCompatStore()
  const graph = createGraph({
    network: { owner: owner.id },
    identity,
    ...(more.owner !== undefined && { owner: more.owner }),
    ...(more.without !== true && { compat: store }),
    verifier: new WebVerifier(),
    store: new MemoryGraphStore(),
    dial: async (url) => {
      const [here, there] = socketPair()
      graphs.get(url)?.accept(there)
      return here
    },
    peers: peers.map((peer) => `ws://${peer}/gun`),
    onFault: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(() => graph.close())
  graphs.set(`ws://${name}/gun`, graph)
  await graph.start()
  return { graph, identity, store }
}

/** A stock client, as far as its messages go. */
async function client({ graph }: { graph: Graph }) {
  const [here, there] = socketPair()
  const heard: string[] = []
  const closed: number[] = []
  here.onMessage((text) => heard.push(text))
  here.onClose((code) => closed.push(code))
  onTestFinished(() => here.terminate())
  graph.accept(there)
  // GUN drops what bears the id of an earlier message.
  const name = `client${++clients}`
  here.send(`{"#":"${name}hi","dam":"?","pid":"${name}"}`)
  let count = 0
  const say = (message: object): void => here.send(JSON.stringify({ '#': `${name}m${++count}`, ...message }))
  const put = (soul: string, data: Record<string, unknown>, state = Date.now()): void => {
    const states = Object.fromEntries(Object.keys(data).map((key) => [key, state]))
    say({ put: { [soul]: { _: { '#': soul, '>': states }, ...data } } })
  }
  const heardOf = (text: string): boolean => heard.some((one) => one.includes(text))
  say({ '#': `${name}first`, get: { '#': 'albums/none' } })
  await vi.waitUntil(() => heardOf(`"@":"${name}first"`), within)
  return { say, put, heard, heardOf, closed }
}

test('what one client writes, clients of every node hear and read, and it is told that it was taken', async () => {
  const [writer, reader, other] = [await client(near), await client(near), await client(far)]
  writer.put('albums/1', { title: 'So What', tracks: { '#': 'tracks/1' }, year: 1959.5, live: false, cover: null })
  await vi.waitUntil(() => reader.heardOf('So What') && other.heardOf('So What'), within)
  expect(writer.heard.some((text) => text.includes('"ok":1'))).toBe(true)
  const data = { title: 'So What', tracks: { '#': 'tracks/1' }, year: 1959.5, live: false, cover: null }
  expect(far.graph.compat?.get('albums/1')).toEqual(data)
  other.say({ '#': 'read', get: { '#': 'albums/1', '.': 'year' } })
  await vi.waitUntil(() => other.heard.some((text) => text.includes('"@":"read"') && text.includes('1959.5')), within)
})

test('a large preview reaches every node and who asks for it, and is said to no client that did not', async () => {
  const [writer, reader, other] = [await client(near), await client(near), await client(far)]
  const audioData = 'x'.repeat(1_300_000)
  writer.put('previews/1', { audioData })
  await vi.waitUntil(() => far.graph.compat?.get('previews/1') !== undefined, within)
  writer.put('tracks/1', { title: 'later' })
  await vi.waitUntil(() => reader.heardOf('later') && other.heardOf('later'), within)
  expect([reader, other].map(({ heardOf }) => heardOf('xxxx'))).toEqual([false, false])
  reader.say({ '#': 'read', get: { '#': 'previews/1' } })
  await vi.waitUntil(() => reader.heardOf(audioData), within)
})

test('what lies in a map is never taken for signed, and what is signed never read as a map', async () => {
  const writer = await client(near)
  const soul = (await near.graph.publish('m', 'ab'.repeat(20), manifestOf('ab'.repeat(20)))).soul
  writer.put(soul, { ['ab'.repeat(20)]: 'forged' })
  writer.put('albums/1', { link: { '#': soul } })
  writer.put('albums/2', { title: 'kept' })
  await vi.waitUntil(() => near.graph.compat?.get('albums/2') !== undefined, within)
  expect(near.graph.get('m', near.identity.id, 'ab'.repeat(20))?.body.name).toBe('film.mp4')
  expect(near.graph.compat?.get('albums/1')).toBeUndefined()
  expect(near.graph.compat?.get(soul)).toBeUndefined()
  expect([...near.graph.entries('m')]).toHaveLength(1)
})

test('a node without maps takes and gives none', async () => {
  const bare = await node('bare', ['near'], { without: true })
  const [here, there] = socketPair()
  onTestFinished(() => here.terminate())
  bare.graph.accept(there)
  here.send('{"#":"a","put":{"albums/1":{"_":{"#":"albums/1",">":{"title":1}},"title":"x"}}}')
  here.send('{"#":"b","get":{"#":"albums/1"}}')
  await vi.waitUntil(() => bare.graph.stats().refused['get_soul'] === 1, within)
  expect(bare.graph.stats().refused['soul']).toBe(1)
  expect(bare.graph.compat).toBeUndefined()
})

describe('a flood', () => {
  test('costs its own map only, stays within its cap, and others are served meanwhile', async () => {
    const [attacker, honest] = [await client(near), await client(near)]
    honest.put('albums/1', { title: 'honest' })
    for (let n = 0; n < 3_000; n++) attacker.put(`_test/${n}`, { a: 'x'.repeat(900) })
    honest.say({ '#': 'read', get: { '#': 'albums/1' } })
    await vi.waitUntil(() => honest.heardOf('"@":"read"'), within)
    await vi.waitUntil(() => (near.graph.stats().refused['compat_rate'] ?? 0) > 0, within)
    expect(near.store.bytes('_test')).toBeLessThanOrEqual(maps['_test']!.total)
    expect(near.graph.compat?.get('albums/1')).toEqual({ title: 'honest' })
  })

  test('of values past their limits is counted, and never kept', async () => {
    const attacker = await client(near)
    for (let n = 0; n < 20; n++) attacker.put(`albums/${n}`, { title: 'x'.repeat(100_000) })
    await vi.waitUntil(() => near.graph.stats().refused['compat_size'] === 20, within)
    expect(near.store.bytes('albums')).toBe(0)
  })

  test('of broken rules ends the link', async () => {
    const attacker = await client(near)
    for (let n = 0; n < 300; n++) attacker.put(`albums/${n}`, { title: ['no', 'data'] })
    await vi.waitUntil(() => attacker.closed.length === 1, within)
    expect(attacker.closed).toEqual([1008])
  })
})
