import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ActiveSet } from './active-set.ts'
import type { Awake } from './active-set.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

class Torrent implements Awake {
  readonly infoHash: string
  hasPeers = false
  pinned = false
  tookAt = -Infinity
  askedAt = Date.now()
  arrivedAt = Date.now()

  constructor(infoHash: string, state: Partial<Pick<Torrent, 'hasPeers' | 'pinned' | 'tookAt'>> = {}) {
    this.infoHash = infoHash
    Object.assign(this, state)
  }

  get usedAt(): number {
    return Math.max(this.askedAt, this.tookAt)
  }
}

function setUp(maxActive = 3, idleAfter = 1_000) {
  const slept: string[] = []
  const set = new ActiveSet<Torrent>({
    maxActive,
    idleAfter,
    now: Date.now,
    sleep: ({ infoHash }) => slept.push(infoHash),
  })
  const wake = (infoHash: string, state?: ConstructorParameters<typeof Torrent>[1]): Torrent | undefined => {
    if (!set.reserve()) return undefined
    const torrent = new Torrent(infoHash, state)
    set.settle(torrent)
    vi.advanceTimersByTime(1)
    return torrent
  }
  return { set, slept, wake }
}

test('the one not used for the longest time makes room', () => {
  const { set, slept, wake } = setUp()
  const [a] = [wake('a'), wake('b'), wake('c')]
  if (a !== undefined) a.askedAt = Date.now()
  wake('d')
  expect(slept).toEqual(['b'])
  wake('e')
  expect(slept).toEqual(['b', 'c'])
  expect(set.size).toBe(3)
  expect(set.get('b')).toBeUndefined()
  expect(set.get('a')).toBe(a)
})

test('one whose connected peer took bytes lately never makes room; one whose peers only sit there does', () => {
  const { slept, wake } = setUp(3, 10_000)
  const busy = wake('busy', { hasPeers: true })
  wake('sat on', { hasPeers: true })
  wake('left', { tookAt: Date.now() })
  vi.advanceTimersByTime(2_000)
  if (busy !== undefined) busy.tookAt = Date.now()
  wake('next', { hasPeers: true, tookAt: Date.now() })
  expect(slept).toEqual(['sat on'])
  wake('last', { hasPeers: true, tookAt: Date.now() })
  expect(slept).toEqual(['sat on', 'left'])
  vi.advanceTimersByTime(5_000)
  expect(wake('too many')).toBeUndefined()
  if (busy !== undefined) busy.tookAt = Date.now()
  vi.advanceTimersByTime(5_000)
  expect(wake('later')).toBeDefined()
  expect(slept).toEqual(['sat on', 'left', 'next'])
})

test('a peer that has just come has time to ask, before another one makes its item sleep', () => {
  const { slept, wake } = setUp(2, 10_000)
  wake('first', { hasPeers: true })
  wake('second', { hasPeers: true })
  expect(wake('third', { hasPeers: true })).toBeUndefined()
  vi.advanceTimersByTime(2_000)
  expect(wake('third', { hasPeers: true })).toBeDefined()
  expect(slept).toEqual(['first'])
})

test('who wakes what he likes and takes nothing pushes nobody out who takes bytes', () => {
  const { set, slept, wake } = setUp(10, 10_000)
  const used = Array.from({ length: 9 }, (_, index) => wake(`used ${index}`, { hasPeers: true }))
  for (let round = 0; round < 1_000; round++) {
    for (const torrent of used) if (torrent !== undefined) torrent.tookAt = Date.now()
    wake(`attack ${round}`, { hasPeers: true })
    vi.advanceTimersByTime(100)
  }
  expect(slept.filter((name) => name.startsWith('used'))).toEqual([])
  expect(slept.length).toBeGreaterThan(40)
  expect(set.size).toBe(10)
})

test('whose peers knock again and again without taking anything keeps no place', () => {
  const { slept, wake } = setUp(2, 10_000)
  const knocked = [wake('first', { hasPeers: true }), wake('second', { hasPeers: true })]
  for (let knocks = 0; knocks < 8; knocks++) {
    for (const torrent of knocked) if (torrent !== undefined) torrent.askedAt = Date.now()
    vi.advanceTimersByTime(500)
  }
  expect(wake('third', { hasPeers: true })).toBeDefined()
  expect(slept).toHaveLength(1)
})

test('a place that is not to be had costs a look at all now and then, not at each asking', () => {
  const { set, wake } = setUp(500, 10_000)
  let looks = 0
  for (let index = 0; index < 500; index++) {
    const torrent = wake(String(index))
    if (torrent !== undefined) Object.defineProperty(torrent, 'hasPeers', { get: () => ++looks > 0 })
  }
  for (let asked = 0; asked < 1_000; asked++) {
    expect(set.reserve()).toBe(false)
    if (asked % 10 === 0) vi.advanceTimersByTime(1)
  }
  expect(looks).toBeLessThanOrEqual(1_500)
})

test('a place that comes free is found soon after none was to be had', () => {
  const { slept, wake } = setUp(100, 10_000)
  const all = Array.from({ length: 100 }, (_, index) => wake(String(index), { hasPeers: true }))
  expect(wake('refused')).toBeUndefined()
  Object.assign(all[50] ?? {}, { hasPeers: false })
  vi.advanceTimersByTime(10)
  expect(wake('woken')).toBeDefined()
  expect(slept).toEqual(['50'])
})

test('places are kept for those being woken', () => {
  const { set, wake } = setUp(2)
  const busy = { hasPeers: true, tookAt: Infinity }
  expect([set.reserve(), set.reserve(), set.reserve()]).toEqual([true, true, false])
  set.settle()
  expect(wake('a', busy)).toBeDefined()
  expect(wake('b', busy)).toBeUndefined()
  set.settle(new Torrent('c', busy))
  expect(set.size).toBe(2)
})

test('one without peers sleeps when nobody asked for it for a while, with one timer for all', () => {
  const { set, slept, wake } = setUp(1_000)
  for (let index = 0; index < 100; index++) wake(String(index))
  expect(vi.getTimerCount()).toBe(1)
  const peered = wake('peered', { hasPeers: true })
  const asked = wake('asked')
  vi.advanceTimersByTime(880)
  expect(slept).toEqual([])
  if (asked !== undefined) asked.askedAt = Date.now()
  vi.advanceTimersByTime(500)
  expect(slept).toHaveLength(100)
  vi.advanceTimersByTime(1_000)
  expect(slept).toHaveLength(101)
  expect(slept.at(-1)).toBe('asked')
  if (peered !== undefined) peered.hasPeers = false
  vi.advanceTimersByTime(2_000)
  expect(slept.at(-1)).toBe('peered')
  expect(set.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('a pinned one neither makes room nor sleeps', () => {
  const { set, slept, wake } = setUp(1)
  const torrent = wake('a', { pinned: true })
  expect(wake('b')).toBeUndefined()
  vi.advanceTimersByTime(10_000)
  expect(slept).toEqual([])
  if (torrent !== undefined) torrent.pinned = false
  vi.advanceTimersByTime(1_100)
  expect(slept).toEqual(['a'])
  set.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a lower limit applies at once, except for those in use', () => {
  const { set, slept, wake } = setUp(5)
  wake('busy', { hasPeers: true, tookAt: Date.now() })
  for (const name of ['a', 'b', 'c', 'd']) wake(name)
  set.limit({ maxActive: 2, idleAfter: 1_000 })
  expect(slept).toEqual(['a', 'b', 'c'])
  set.limit({ maxActive: 1, idleAfter: 1_000 })
  expect(slept).toEqual(['a', 'b', 'c', 'd'])
  expect(set.size).toBe(1)
  set.limit({ maxActive: 5, idleAfter: 100 })
  expect(wake('e')).toBeDefined()
  vi.advanceTimersByTime(200)
  expect(slept.at(-1)).toBe('e')
})
