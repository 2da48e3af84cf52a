import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { UnwritableError } from '../../swarm/index.ts'
import type { MendRequest } from '../../swarm/index.ts'
import { Mending } from './mending.ts'
import type { Sources } from '../fetching/sources.ts'
import { searchLimits, stallLimits } from '../fetching/stall.ts'

interface Try {
  request: MendRequest
  done(): void
  fail(error: Error): void
}

let bad: Map<string, number[]>
let paused: Set<string>
let sources: Sources
let checks: string[]
let tries: Try[]
let fetching: readonly string[]
/** The bytes of each try, and what ends the wait for them. */
let paid: { bytes: number; done(): void }[] | undefined
let mending: Mending
/** Of what `repair.concurrent` allows. */
let most: number
let freed: number

beforeEach(() => {
  vi.useFakeTimers()
  bad = new Map()
  paused = new Set()
  sources = { peers: ['1.2.3.4:5'], holders: ['http://holder'] }
  checks = []
  tries = []
  fetching = []
  paid = undefined
  most = 4
  freed = 0
  mending = new Mending({
    library: {
      head: (infoHash) => ({ infoHash, publisher: 'publisher', state: 'live', owner: '', access: 'public' }),
      pieces: (infoHash) => ({ verifiedAt: new Uint32Array(), bad: bad.get(infoHash) ?? [] }),
      isPaused: (infoHash) => paused.has(infoHash),
    },
    swarm: {
      downloadLimit: () => 0,
      has: () => true,
      check: async (infoHash, which) => {
        checks.push(`${infoHash} ${which}`)
        return 1_000
      },
      mend: (request) =>
        new Promise<void>((resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason as Error))
          tries.push({ request, done: resolve, fail: reject })
        }),
    },
    sources: () => sources,
    limits: stallLimits,
    search: searchLimits,
    most: () => most,
    freed: () => void freed++,
    mending: (infoHashes) => (fetching = infoHashes),
    pay: (bytes) => new Promise<void>((done) => (paid === undefined ? done() : void paid.push({ bytes, done }))),
    drained: () => {},
    log: pino({ level: 'silent' }),
    now: () => Date.now(),
    random: () => 0,
  })
})

afterEach(async () => {
  await mending.close()
  vi.useRealTimers()
})

/** Lets what is due happen. */
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

async function lose(...items: string[]): Promise<void> {
  for (const infoHash of items) {
    bad.set(infoHash, [3])
    mending.add(infoHash)
  }
  await settle()
}

async function mend(infoHash: string): Promise<void> {
  bad.delete(infoHash)
  tries.find(({ request }) => request.infoHash === infoHash)?.done()
  await settle()
}

const tried = (): string[] => tries.map(({ request }) => request.infoHash)

test('a disk that fails under many items has two of them mended at a time, the others in turn', async () => {
  await lose('a', 'b', 'c', 'd')
  expect([tried(), mending.items, fetching]).toEqual([['a', 'b'], 4, ['a', 'b']])
  await mend('b')
  expect([tried(), mending.items]).toEqual([['a', 'b', 'c'], 3])
  await mend('a')
  await mend('c')
  await mend('d')
  expect([mending.items, fetching]).toEqual([0, []])
})

test('an item holds its place until the rate of repairs makes up for the bytes that came', async () => {
  paid = []
  await lose('a', 'b', 'c')
  tries[0]!.request.onProgress?.(70, 20)
  await mend('a')
  expect([tried(), fetching, paid.map(({ bytes }) => bytes)]).toEqual([['a', 'b'], ['a', 'b'], [70]])
  paid[0]!.done()
  await settle()
  expect([tried(), fetching]).toEqual([
    ['a', 'b', 'c'],
    ['b', 'c'],
  ])
  paid = undefined
})

test('holders are asked as peers and as web seeds', async () => {
  await lose('a')
  expect(tries[0]?.request).toMatchObject({ peers: ['1.2.3.4:5'], webSeeds: ['http://holder/v1/media/a/ws/'] })
})

test('an item whose own pieces are right, or that is paused, is left alone', async () => {
  mending.add('shares a file with another')
  bad.set('paused', [1])
  paused.add('paused')
  mending.add('paused')
  await settle()
  expect([tried(), checks, mending.items]).toEqual([[], [], 0])
})

test('sources that give nothing are asked again, later each time; the whole item is read once', async () => {
  await lose('a')
  for (const [n, wait] of [1_000, 2_000, 4_000].entries()) {
    await settle(stallLimits.idleMs)
    expect(tries).toHaveLength(n + 1)
    await settle(wait - 1)
    expect(tries).toHaveLength(n + 1)
    await settle(1)
    expect(tries).toHaveLength(n + 2)
  }
  expect(checks).toEqual(['a all', 'a wrong', 'a wrong', 'a wrong'])
})

test('without any source known the try is short, and repeated when there is one', async () => {
  sources = { peers: [], holders: [] }
  await lose('a')
  await settle(searchLimits.idleMs)
  sources = { peers: ['1.2.3.4:5'], holders: [] }
  await settle(1_000)
  expect(tries.map(({ request }) => request.peers)).toEqual([[], ['1.2.3.4:5']])
})

test('a disk that takes no bytes is left alone for an hour', async () => {
  await lose('a', 'b', 'c')
  tries[0]?.fail(new UnwritableError('a'))
  await settle()
  mending.add('a')
  expect(tried()).toEqual(['a', 'b', 'c'])
  await mend('b')
  await mend('c')
  await settle(3_600_000 - 1)
  mending.add('a')
  await settle()
  expect(tries).toHaveLength(3)
  await settle(1)
  mending.add('a')
  await settle()
  expect(tried()).toEqual(['a', 'b', 'c', 'a'])
})

test('closing ends what is under way', async () => {
  await lose('a', 'b', 'c')
  await mending.close()
  expect(tries.every(({ request }) => request.signal.aborted)).toBe(true)
  expect(tried()).toEqual(['a', 'b'])
})

test('items are mended as copies that are replaced leave room for it', async () => {
  most = 1
  await lose('a', 'b')
  expect([tries.length, mending.running, mending.items]).toEqual([1, 1, 2])
  most = 0
  tries[0]!.done()
  await settle()
  // Whoever makes copies is told first, and takes the room.
  expect([tries.length, freed]).toEqual([1, 1])
  most = 2
  mending.look()
  await settle()
  expect(tries.map(({ request }) => request.infoHash)).toEqual(['a', 'b'])
})
