import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Pacer } from './pacer.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('lets some in at once and the others in turn, and rests when nobody comes', () => {
  const pacer = new Pacer()
  let inside = 0
  for (let i = 0; i < 100; i++)
    pacer.run(
      () => inside++,
      () => {},
    )
  expect(inside).toBe(20)
  vi.advanceTimersByTime(10)
  expect(inside).toBe(40)
  vi.advanceTimersByTime(30)
  expect(inside).toBe(100)
  vi.advanceTimersByTime(20)
  expect(vi.getTimerCount()).toBe(0)
})

it('turns away who finds a line too long, and sends those home who wait when it stops', () => {
  const pacer = new Pacer()
  let home = 0
  const taken = Array.from({ length: 20_100 }, () =>
    pacer.run(
      () => {},
      () => home++,
    ),
  )
  expect(taken.filter(Boolean).length).toBe(20_020)
  pacer.stop()
  expect([home, vi.getTimerCount()]).toEqual([20_000, 0])
})
