import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Outbox } from './outbox.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout'] })
  outbox = new Outbox()
  written = []
})
afterEach(() => void vi.useRealTimers())

let outbox: Outbox
let written: string[] = []
const write = (name: string): void => outbox.add({ flush: () => void written.push(name) })

test('writes at once after a quiet time, and what comes soon after it together', () => {
  write('a')
  write('b')
  expect(written).toEqual([])
  vi.advanceTimersByTime(0)
  expect(written).toEqual(['a', 'b'])
  write('c')
  vi.advanceTimersByTime(0)
  write('d')
  expect(written).toEqual(['a', 'b'])
  vi.advanceTimersByTime(1)
  expect(written).toEqual(['a', 'b', 'c', 'd'])
  written = []
  // Nothing is left that runs while nobody writes.
  vi.advanceTimersByTime(1)
  expect(vi.getTimerCount()).toBe(0)
  write('e')
  vi.advanceTimersByTime(0)
  expect(written).toEqual(['e'])
})

test('lets who writes while others do wait for the next round', () => {
  outbox.add({ flush: () => write('second') })
  vi.advanceTimersByTime(0)
  expect(written).toEqual([])
  vi.advanceTimersByTime(1)
  expect(written).toEqual(['second'])
})
