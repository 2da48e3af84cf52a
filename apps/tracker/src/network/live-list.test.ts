import type { Accepted, Denial, Graph, Manifest, NodeId } from '@eldernode/core'
import { manifestOf } from '@eldernode/core/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { infoHashesIn, wordsOf } from './info-hash.ts'
import { LiveList } from './live-list.ts'
import type { Changes } from './port.ts'

const item = (n: number): string => n.toString(16).padStart(40, '0')
const [a, b, c] = [item(1), item(2), item(3)]
const nothing = new Int32Array()

type Said = Accepted<Manifest> | Accepted<Denial>

/** The part of a graph that the list listens to. */
class FakeGraph {
  readonly stored: Said[] = []
  readonly speakers = new Map<NodeId, NodeId>()
  readonly #watchers = new Map<string, (value: never) => void>()

  readonly speakerOf: Graph['speakerOf'] = (pub) => this.speakers.get(pub) ?? pub
  readonly entries = ((kind: string) => this.stored.filter((value) => value.kind === kind)) as Graph['entries']
  readonly get = ((kind: string, pub: NodeId, key: string) =>
    this.stored
      .filter((value) => value.kind === kind && value.pub === pub && value.key === key)
      .toSorted((one, other) => other.ts - one.ts)[0]) as Graph['get']
  readonly manifests: Graph['manifests'] = ({ retracted: ended = false, expiring = false } = {}) =>
    this.stored.flatMap((value) => {
      const { state, expiresAt } = value.body as Manifest
      const isMeant = value.kind === 'm' && (!ended || state === 'retracted') && (!expiring || expiresAt !== undefined)
      return isMeant ? [{ pub: value.pub, infoHash: value.key }] : []
    })
  readonly watch = ((kind: string, listener: (value: never) => void) => {
    this.#watchers.set(kind, listener)
    return () => this.#watchers.delete(kind)
  }) as Graph['watch']

  say(value: { kind: string } | Said): void {
    if ('body' in value) this.stored.push(value)
    this.#watchers.get(value.kind)?.(value as never)
  }
}

const manifest = (pub: string, infoHash: string, ts: number, change: Partial<Manifest> = {}): Accepted<Manifest> => ({
  kind: 'm',
  pub,
  ts,
  soul: '',
  key: infoHash,
  hidden: false,
  body: manifestOf(infoHash, change),
})
const denial = (infoHash: string, state: Denial['state']): Accepted<Denial> => ({
  kind: 'd',
  pub: 'owner',
  ts: 1,
  soul: '',
  key: infoHash,
  hidden: false,
  body: { infoHash, state },
})
const retracted = { state: 'retracted' } as const

let graph: FakeGraph
let list: LiveList
let told: string[]
let most: number | undefined

beforeEach(() => {
  vi.useFakeTimers({ now: 1000 })
  graph = new FakeGraph()
  told = []
  list = listOf()
})

afterEach(() => {
  list.close()
  vi.useRealTimers()
})

function listOf(limit?: number): LiveList {
  most = limit
  return new LiveList({
    graph,
    changed: (changes: Changes) => {
      for (const [what, words] of Object.entries(changes) as [string, Int32Array][]) {
        for (const infoHash of infoHashesIn(words)) told.push(`${what} ${parseInt(infoHash, 16)}`)
      }
    },
    now: Date.now,
    pause: () => Promise.resolve(),
    ...(most !== undefined && { most }),
  })
}

/** What was told since the last look. */
async function news(): Promise<string[]> {
  await vi.advanceTimersByTimeAsync(100)
  return told.splice(0)
}

test('what is stored is told once it is all read, and then what changes', async () => {
  graph.stored.push(manifest('p', a, 1), manifest('p', b, 1, retracted), denial(c, 'denied'), manifest('q', c, 1))
  await list.load()
  expect(await news()).toEqual(['added 1', 'denied 3'])
  graph.say(manifest('p', a, 2, retracted))
  graph.say(manifest('p', b, 2))
  graph.say(denial(c, 'lifted'))
  expect(await news()).toEqual(['added 2', 'added 3', 'removed 1', 'lifted 3'])
  expect([list.live, list.denied]).toEqual([2, 0])
  graph.say(manifest('p', b, 2))
  expect(await news()).toEqual([])
})

test('a denial counts whatever its publishers say, before and after', async () => {
  await list.load()
  graph.say(denial(a, 'denied'))
  graph.say(manifest('p', a, 1))
  expect(await news()).toEqual(['denied 1'])
  graph.say(manifest('p', b, 1))
  await news()
  graph.say(denial(b, 'denied'))
  expect(await news()).toEqual(['removed 2', 'denied 2'])
})

test('an item goes when the last of its publishers retracts it', async () => {
  await list.load()
  graph.say(manifest('p', a, 1))
  graph.say(manifest('q', a, 1))
  expect(await news()).toEqual(['added 1'])
  graph.say(manifest('p', a, 2, retracted))
  expect(await news()).toEqual([])
  graph.say(manifest('q', a, 2, retracted))
  expect(await news()).toEqual(['removed 1'])
})

test('the newest of one signer counts, in whatever order they come', async () => {
  await list.load()
  graph.say(manifest('p', a, 5, retracted))
  graph.say(manifest('p', a, 4))
  expect(await news()).toEqual([])
  graph.say(manifest('p', a, 6))
  expect(await news()).toEqual(['added 1'])
})

test('what was heard while the store was read is not undone by what was read', async () => {
  graph.stored.push(manifest('p', a, 1))
  const manifests = graph.manifests
  Object.assign(graph, {
    manifests: (which: object) => {
      if (which === undefined) graph.say(manifest('p', a, 2, retracted))
      return manifests(which)
    },
  })
  await list.load()
  expect(await news()).toEqual([])
  expect(list.live).toBe(0)
})

test('an item ends when its manifest does, unless another stands', async () => {
  await list.load()
  graph.say(manifest('p', a, 1, { expiresAt: 5000 }))
  graph.say(manifest('p', b, 1, { expiresAt: 5000 }))
  graph.say(manifest('q', b, 1, { expiresAt: 9000 }))
  graph.say(manifest('p', c, 1, { expiresAt: 500 }))
  graph.say(manifest('p', item(4), 1, { expiresAt: 0 }))
  expect(await news()).toEqual(['added 1', 'added 2'])
  vi.setSystemTime(4999)
  list.tick()
  expect(await news()).toEqual([])
  vi.setSystemTime(5000)
  list.tick()
  expect(await news()).toEqual(['removed 1'])
  vi.setSystemTime(9000)
  list.tick()
  expect(await news()).toEqual(['removed 2'])
})

test("who speaks for a lost key ends what that key published, and a speaker's own word stands instead of the key's", async () => {
  await list.load()
  graph.say(manifest('lost', a, 9))
  graph.say(manifest('heir', a, 5, retracted))
  graph.say(manifest('lost', b, 9))
  expect(await news()).toEqual(['added 1', 'added 2'])
  graph.speakers.set('lost', 'heir')
  graph.say({ kind: 'p' })
  expect(await news()).toEqual(['removed 1'])
  graph.say(manifest('heir', b, 5, retracted))
  expect(await news()).toEqual(['removed 2'])
})

test('what was told before a restart stands until the network has told all', async () => {
  list.assume({ live: wordsOf([a, b]), denied: wordsOf([c]) })
  graph.stored.push(manifest('p', a, 1))
  await list.load()
  expect(await news()).toEqual([])
  expect([...infoHashesIn(list.told().live)]).toEqual([a, b])
  await list.settle()
  expect(await news()).toEqual(['removed 2', 'lifted 3'])
  expect([list.live, list.denied]).toEqual([1, 0])
  expect(list.told()).toEqual({ live: wordsOf([a]), denied: nothing })
})

test('what was taken off while it was away is told at once', async () => {
  list.assume({ live: wordsOf([a, b]), denied: nothing })
  graph.stored.push(manifest('p', a, 1, retracted), manifest('p', b, 1, { expiresAt: 500 }))
  await list.load()
  expect(await news()).toEqual(['removed 1', 'removed 2'])
})

test('more items than there may be are left out', async () => {
  list.close()
  list = listOf(2)
  await list.load()
  for (const infoHash of [a, b, c]) graph.say(manifest('p', infoHash, 1))
  expect(await news()).toEqual(['added 1', 'added 2'])
  expect(list.leftOut).toBe(1)
  graph.say(manifest('p', a, 2, retracted))
  expect(await news()).toEqual(['removed 1'])
})

test('much at once is told in parts, without waiting', async () => {
  await list.load()
  for (let n = 1; n <= 5000; n++) graph.say(manifest('p', item(n), 1))
  expect(told).toHaveLength(4000)
  expect(await news()).toHaveLength(5000)
})
