import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Identity, Manifest } from '@eldernode/core'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createVerifier, openIdentity } from '../keys/index.ts'
import { openLibrary, type Item, type Library } from '../library/index.ts'
import { Reconciler, type ReconcilerOptions } from './reconciler.ts'
import { Transfers } from './transfers.ts'

const day = 86_400_000
const log = pino({ level: 'silent' })

let folder: string
let store: MemoryGraphStore
let self: Identity
let other: Identity
let third: Identity
let graphs: Map<Identity, Graph>
let library: Library
let transfers: Transfers
let reconciler: Reconciler
let started: string[]
let offered: string[]
let withdrawn: string[]
let wanted: boolean
let mayFetch: boolean
let retractions: number
let clock: () => number

/** Each node's graph works on one store, as if all of them were in step. */
const graphOf = (identity: Identity): Graph => graphs.get(identity)!

const manifest = (infoHash: string, changes: Partial<Manifest> = {}): Manifest => ({
  infoHash,
  name: 'a',
  size: 1,
  pieceLength: 16_384,
  files: [],
  trackers: [],
  replicas: { min: 1, target: 3 },
  access: 'public',
  createdAt: 1,
  state: 'live',
  ...changes,
})

const hash = (n: number): string => createHash('sha1').update(String(n)).digest('hex')

async function hold(infoHash: string, publisher: string): Promise<Item> {
  const bytes = Buffer.from(infoHash)
  const staging = await library.stage()
  await writeFile(staging.filePath(0), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const file = { path: 'a', size: bytes.length, sha256, type: 'text/plain' }
  const { size, pieceLength, replicas, createdAt } = manifest(infoHash, { size: bytes.length })
  const rest = { name: 'a', size, pieceLength, replicas, createdAt, sha256, publisher, state: 'live' as const }
  return (await library.commit(staging, { infoHash, files: [file], ...rest }, Buffer.from('de'))).item
}

function build(options: Partial<ReconcilerOptions> = {}): Reconciler {
  return new Reconciler({
    self: self.id,
    graph: graphOf(self),
    library,
    transfers,
    share: { wants: () => wanted, mayFetch: () => mayFetch },
    serving: {
      offer: ({ infoHash }) => Promise.resolve(void offered.push(infoHash)),
      withdraw: (infoHash) => Promise.resolve(void withdrawn.push(infoHash)),
      forget: () => Promise.resolve(),
    },
    manifestOf: ({ infoHash, size }) => manifest(infoHash, { size }),
    retentionMs: day,
    retracted: () => retractions++,
    log,
    ...options,
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-reconcile-'))
  self = openIdentity(join(folder, 'self.key'))
  other = openIdentity(join(folder, 'other.key'))
  third = openIdentity(join(folder, 'third.key'))
  store = new MemoryGraphStore()
  graphs = new Map()
  clock = Date.now
  for (const identity of [self, other, third]) {
    const graph = createGraph({
      network: { owner: self.id, open: true },
      identity,
      verifier: createVerifier(),
      store,
      dial: () => Promise.reject(new Error('nobody to dial')),
      peers: [],
      now: () => clock(),
      onFault: (error) => {
        throw error
      },
    })
    await graph.start()
    graphs.set(identity, graph)
  }
  library = await openLibrary({ folder, digest: () => Promise.reject(new Error('nothing to hash')) })
  started = []
  offered = []
  withdrawn = []
  wanted = true
  mayFetch = true
  retractions = 0
  transfers = new Transfers({
    run: ({ infoHash }, signal) =>
      new Promise((_, reject) => {
        started.push(infoHash)
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
    failed: () => {},
    settled: () => {},
    drained: () => {},
    concurrency: 1,
    maxQueued: 100,
    now: Date.now,
    random: Math.random,
  })
  reconciler = build()
})

afterEach(async () => {
  await transfers.close()
  await reconciler.close()
  await Promise.all([...graphs.values()].map((graph) => graph.close()))
  library.close()
  await rm(folder, { recursive: true })
})

test('an item that is wanted and missing is fetched', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(started).toEqual([hash(1)])
})

test('an item that placement wants elsewhere is not fetched, and one being fetched is given up', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  wanted = false
  reconciler.touchAll()
  await reconciler.idle()
  expect(transfers.has(hash(1))).toBe(false)
})

test('nothing is fetched while the gate is closed; the first pass after it opens catches up', async () => {
  mayFetch = false
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(started).toEqual([])
  mayFetch = true
  reconciler.touchAll()
  await reconciler.idle()
  expect(started).toEqual([hash(1)])
})

test('a held item is offered, whether the graph knows it or not', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  for (const n of [1, 2]) {
    await hold(hash(n), other.id)
    reconciler.touch(other.id, hash(n))
  }
  await reconciler.idle()
  expect(offered).toEqual([hash(1), hash(2)])
})

test('a retraction ends serving and fetching, and the bytes wait for their purge', async () => {
  await hold(hash(1), other.id)
  for (const n of [1, 2]) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  reconciler.touch(other.id, hash(2))
  await reconciler.idle()
  const purgeAfter = Date.now() + 5 * day
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted', purgeAfter }))
  await graphOf(other).publish('m', hash(2), manifest(hash(2), { state: 'retracted' }))
  for (const n of [1, 2]) reconciler.touch(other.id, hash(n))
  await reconciler.idle()
  expect(withdrawn).toEqual([hash(1)])
  expect(library.get(hash(1))).toMatchObject({ state: 'retracted', purgeAfter })
  expect(transfers.has(hash(2))).toBe(false)
  expect(retractions).toBe(1)
})

test('an item of two publishers stays until the last one retracts it', async () => {
  await hold(hash(1), other.id)
  for (const publisher of [other, third]) await graphOf(publisher).publish('m', hash(1), manifest(hash(1)))
  reconciler.touchAll()
  await reconciler.idle()
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(withdrawn).toEqual([])
  expect(library.get(hash(1))?.state).toBe('live')
  await graphOf(third).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  reconciler.touch(third.id, hash(1))
  await reconciler.idle()
  expect(withdrawn).toEqual([hash(1)])
})

test('a retraction that was undone brings a replica back', async () => {
  await hold(hash(1), other.id)
  library.retract(hash(1), Date.now() + day)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(library.get(hash(1))?.state).toBe('live')
  expect(offered).toEqual([hash(1)])
})

test('an own item whose manifest is missing is published, but not before the links are in step', async () => {
  await hold(hash(1), self.id)
  reconciler.touch(self.id, hash(1))
  await reconciler.idle()
  expect(offered).toEqual([hash(1)])
  expect(graphOf(self).get('m', self.id, hash(1))).toBeUndefined()
  reconciler.touchAll()
  await reconciler.idle()
  expect(graphOf(self).get('m', self.id, hash(1))?.body.state).toBe('live')
})

test('an own item published again before the first pass stays, though its retraction was seen in between', async () => {
  await hold(hash(1), self.id)
  await graphOf(self).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  library.retract(hash(1), Date.now() + day)
  library.restore(hash(1))
  reconciler.touch(self.id, hash(1))
  await reconciler.idle()
  await graphOf(self).publish('m', hash(1), manifest(hash(1)))
  reconciler.touchAll()
  await reconciler.idle()
  expect(graphOf(self).get('m', self.id, hash(1))?.body.state).toBe('live')
  expect(library.get(hash(1))?.state).toBe('live')
  expect(offered).toContain(hash(1))
})

test('of two publishers this node counts too, before any pass has told so', async () => {
  await hold(hash(1), other.id)
  await graphOf(self).publish('m', hash(1), manifest(hash(1)))
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(reconciler.isPublished(hash(1))).toBe(true)
  expect(library.get(hash(1))?.state).toBe('live')
})

test.each([
  ['is missing', undefined, day],
  ['lies before the retraction', -60_000, day],
  ['is 0', -Infinity, day],
  ['is the retraction itself', 0, 0],
  ['lies a little ahead', 60_000, 60_000],
  ['lies a year ahead', 365 * day, 30 * day],
  ['is the greatest number', Infinity, 30 * day],
])('a purgeAfter that %s', async (_, given, kept) => {
  await hold(hash(1), other.id)
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  const now = Date.now() + 1_000
  clock = () => now
  const purgeAfter = given === undefined ? undefined : Math.min(Math.max(0, now + given), 2 ** 53 - 1)
  const retraction = manifest(hash(1), { state: 'retracted', ...(purgeAfter !== undefined && { purgeAfter }) })
  await graphOf(other).publish('m', hash(1), retraction)
  reconciler.touch(other.id, hash(1))
  await reconciler.idle()
  expect(library.get(hash(1))?.purgeAfter).toBe(now + kept)
})

test('a pass does not make failed items due; a change of an item does', async () => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  const asked: boolean[] = []
  const queue = {
    has: () => true,
    cancel: () => Promise.resolve(),
    add: (_: unknown, changed: boolean) => asked.push(changed) > 0,
  }
  const one = build({ transfers: queue })
  one.touch(other.id, hash(1))
  await one.idle()
  for (let i = 0; i < 3; i++) {
    one.touchAll()
    await one.idle()
  }
  await one.close()
  expect(asked).toEqual([true, false, false, false])
})

test.each(['entries', 'all'] as const)('a pass whose reading (%s) fails is made again', async (reading) => {
  await graphOf(other).publish('m', hash(1), manifest(hash(1)))
  await graphOf(self).publish('m', hash(2), manifest(hash(2)))
  await hold(hash(2), self.id)
  const broken = () => {
    throw new Error('disk I/O error')
  }
  const read =
    reading === 'entries'
      ? vi.spyOn(graphOf(self), 'entries').mockImplementationOnce(broken)
      : vi.spyOn(library, 'all').mockImplementationOnce(broken)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const one = build()
  try {
    one.touchAll()
    await one.idle()
    await vi.advanceTimersByTimeAsync(15_000)
    await one.idle()
    expect(read).toHaveBeenCalledTimes(2)
    expect(offered).toContain(hash(2))
  } finally {
    vi.useRealTimers()
    await one.close()
  }
})

test('an item of others that the graph does not know is not published by this node', async () => {
  await hold(hash(1), other.id)
  reconciler.touchAll()
  await reconciler.idle()
  expect([...graphOf(self).entries('m')]).toEqual([])
})

test('without a touch nothing is looked at; a touch looks at one item', async () => {
  for (let n = 0; n < 20; n++) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  const get = vi.spyOn(graphOf(self), 'get')
  await reconciler.idle()
  expect(get).not.toHaveBeenCalled()
  wanted = false
  reconciler.touch(other.id, hash(3))
  await reconciler.idle()
  expect(get.mock.calls).toEqual([['m', other.id, hash(3)]])
})

test('a long pass gives way to the event loop', async () => {
  wanted = false
  for (let n = 0; n < 200; n++) await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  const slow = build({
    share: {
      wants: () => {
        const end = performance.now() + 1
        while (performance.now() < end);
        return false
      },
      mayFetch: () => true,
    },
  })
  let turns = 0
  let done = false
  const count = () => {
    turns++
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  slow.touchAll()
  await slow.idle()
  done = true
  await slow.close()
  // 200 ms of work in slices of 8 ms.
  expect(turns).toBeGreaterThan(10)
})

test('one item that fails does not keep the others, and is tried again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let broken = true
  const serving = {
    offer: ({ infoHash }: Item) => {
      if (broken && infoHash === hash(1)) return Promise.reject(new Error('the disk is full'))
      return Promise.resolve(void offered.push(infoHash))
    },
    withdraw: () => Promise.resolve(),
    forget: () => Promise.resolve(),
  }
  const one = build({ serving })
  try {
    for (const n of [1, 2]) {
      await hold(hash(n), other.id)
      one.touch(other.id, hash(n))
    }
    await one.idle()
    expect(offered).toEqual([hash(2)])
    broken = false
    await vi.advanceTimersByTimeAsync(15_000)
    await one.idle()
    expect(offered).toContain(hash(1))
  } finally {
    vi.useRealTimers()
    await one.close()
  }
})
