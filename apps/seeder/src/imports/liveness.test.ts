import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Liveness } from './liveness.ts'

const limits = { searchMs: 60_000, windowMs: 120_000, bytesPerSecond: 1000 }
const item = { size: 10_000_000, pieceLength: 16_384 }
const hash = 'a'.repeat(40)
let live: Liveness

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  live.clear()
  vi.useRealTimers()
})

const ended = () => (live.signal.reason as { code?: string } | undefined)?.code
const watch = (ownLimit = 0): void => {
  live = new Liveness(hash, limits, () => ownLimit)
  live.knows(item)
}

test('nobody who sends', () => {
  watch()
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(59_999)
  expect(ended()).toBeUndefined()
  vi.advanceTimersByTime(1)
  expect(ended()).toBe('import_no_source')
  expect(vi.getTimerCount()).toBe(0)
})

test('enough goes on, too little does not', () => {
  watch()
  for (let second = 1, right = 0; second < 1000; second++) {
    live.moved((right += 1100), right)
    vi.advanceTimersByTime(1000)
  }
  expect(ended()).toBeUndefined()
  vi.advanceTimersByTime(240_000)
  expect(ended()).toBe('import_stalled')
})

test('bytes that prove wrong are none', () => {
  watch()
  for (let second = 1; second < 200; second++) {
    live.moved(second * 10_000, 0)
    vi.advanceTimersByTime(1000)
  }
  expect(ended()).toBe('import_stalled')
})

test('sources whose bytes were all wrong are no sources', () => {
  watch()
  live.poisoned()
  expect(ended()).toBe('import_stalled')
})

test('more than twice the item is enough', () => {
  watch()
  live.moved(2 * item.size + 2 ** 20, 0)
  expect(ended()).toBeUndefined()
  live.moved(2 * item.size + 2 ** 20 + 1, 0)
  expect(ended()).toBe('import_stalled')
})

test('this node’s own limit and long pieces give it time', () => {
  watch(6400)
  live.moved(1, 0)
  // 100 bytes a second at least, so that two pieces have 328 s.
  vi.advanceTimersByTime(60_000 + 327_000)
  expect(ended()).toBeUndefined()
  live.moved(40_000, 32_768)
  vi.advanceTimersByTime(1000)
  expect(ended()).toBeUndefined()
})
