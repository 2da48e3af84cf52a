import { expect, test } from 'vitest'
import { coarseBytes, coarseRoom } from './coarse.ts'

const mebibyte = 2 ** 20

test('items of a few mebibytes, and one byte more or less, leave no trace in what is told', () => {
  const [capacity, used] = [100e9, 180 * 16 * mebibyte + 1]
  const told = [0, 1, 5_000_000, 5_000_001].map((more) => coarseBytes(used + more, capacity))
  expect(new Set(told).size).toBe(1)
  expect(told[0]).toBeGreaterThanOrEqual(used + 5_000_001)
  expect(told[0]).toBeLessThan(used + 16 * mebibyte)
})

test('nothing is nothing, something is something, and room is never more than there is', () => {
  expect([coarseBytes(0), coarseBytes(1), coarseRoom(0)]).toEqual([0, 16 * mebibyte, 0])
  expect(coarseRoom(33 * mebibyte)).toBe(32 * mebibyte)
})

test.each([0, 1, 1000, 1_000_000, 64 * mebibyte, 1e12, Infinity])('a capacity of %d has whole steps', (capacity) => {
  for (const bytes of [0, 1, 999, 123_456_789]) {
    const [up, down] = [coarseBytes(bytes, capacity), coarseRoom(bytes, capacity)]
    expect([Number.isSafeInteger(up), Number.isSafeInteger(down)]).toEqual([true, true])
    expect(up).toBeGreaterThanOrEqual(bytes)
    expect(down).toBeLessThanOrEqual(bytes)
    expect(up - down).toBeLessThanOrEqual(Math.max(1, Math.min(16 * mebibyte, capacity / 1024)))
  }
})
