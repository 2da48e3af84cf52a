import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { slowed, Stall, type StallLimits } from './stall.ts'

const limits: StallLimits = { idleMs: 1_000, startMs: 500, windowMs: 2_000, bytesPerSecond: 100 }
const item = { infoHash: 'a', size: 10_000_000, pieceLength: 100 }

let stall: Stall

const start = (changes: Partial<typeof item> = {}) => (stall = new Stall(limits, { ...item, ...changes }))
const code = () => (stall.signal.aborted ? (stall.signal.reason as { code: string }).code : undefined)

/** Lets bytes arrive every half second at a steady rate, `right` of them in pieces that verify. */
function flow(seconds: number, bytesPerSecond: number, right: number, received = 0, verified = 0): void {
  for (let i = 1; i <= seconds * 2; i++) {
    vi.advanceTimersByTime(500)
    stall.moved(received + (i * bytesPerSecond) / 2, verified + (i * right) / 2)
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  stall.clear()
  vi.useRealTimers()
})

test('fires when nothing arrives, with the error given for it', () => {
  stall = new Stall(limits, item, new Error('no source'))
  vi.advanceTimersByTime(999)
  expect(stall.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect((stall.signal.reason as Error).message).toBe('no source')
  expect(vi.getTimerCount()).toBe(0)
})

test('progress postpones it, a count that stands still does not', () => {
  start()
  vi.advanceTimersByTime(900)
  stall.moved(5, 0)
  vi.advanceTimersByTime(900)
  expect(code()).toBeUndefined()
  stall.moved(5, 0)
  vi.advanceTimersByTime(100)
  expect(code()).toBe('stalled')
})

test('a transfer at the least rate goes on for ever', () => {
  start()
  flow(600, 101, 101)
  expect(code()).toBeUndefined()
})

test('a byte now and then is too slow', () => {
  start()
  flow(2, 2, 2)
  expect(code()).toBeUndefined()
  flow(1, 2, 2, 4, 4)
  expect(code()).toBe('stalled')
})

test('one that becomes slow later is given up within two windows', () => {
  start()
  flow(60, 1_000, 1_000)
  flow(4, 2, 2, 60_000, 60_000)
  expect(code()).toBe('stalled')
})

test('bytes that never prove right do not count, however fast they come', () => {
  start()
  flow(3, 10_000, 0)
  expect(code()).toBe('stalled')
})

test('pieces that take longer than a window are waited for', () => {
  start({ pieceLength: 1_000 })
  flow(15, 100, 0)
  expect(code()).toBeUndefined()
  flow(6, 100, 0, 1_500)
  expect(code()).toBe('stalled')
})

test('more than twice the size is too much', () => {
  start({ size: 1_000_000 })
  stall.moved(3_000_000, 900_000)
  expect(code()).toBeUndefined()
  stall.moved(3_100_000, 900_000)
  expect(code()).toBe('spoiled')
})

test('once cleared it never fires', () => {
  start().clear()
  expect(vi.getTimerCount()).toBe(0)
})

test('a transfer that a limit of this node slows down goes on', () => {
  stall = new Stall(
    slowed(limits, () => 640),
    item,
  )
  flow(600, 16, 16)
  expect(code()).toBeUndefined()
})

test('without a limit it is held to the usual rate', () => {
  stall = new Stall(
    slowed(limits, () => 0),
    item,
  )
  flow(10, 16, 16)
  expect(code()).toBe('stalled')
})

test('a limit next to nothing waits as long as a timer can', () => {
  stall = new Stall(
    slowed(limits, () => 1),
    { ...item, pieceLength: 16 * 2 ** 20 },
  )
  vi.advanceTimersByTime(86_400_000)
  expect(code()).toBeUndefined()
})
