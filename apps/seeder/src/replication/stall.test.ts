import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Stall } from './stall.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const reason = new Error('stalled')

test('fires after the time-out and only then', () => {
  const stall = new Stall(1_000, reason)
  vi.advanceTimersByTime(999)
  expect(stall.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(stall.signal.reason).toBe(reason)
})

test('progress postpones it, a count that stands still does not', () => {
  const stall = new Stall(1_000, reason)
  vi.advanceTimersByTime(900)
  stall.moved(5)
  vi.advanceTimersByTime(900)
  expect(stall.signal.aborted).toBe(false)
  stall.moved(5)
  vi.advanceTimersByTime(100)
  expect(stall.signal.aborted).toBe(true)
})

test('once cleared it never fires', () => {
  const stall = new Stall(1_000, reason)
  stall.clear()
  expect(vi.getTimerCount()).toBe(0)
})
