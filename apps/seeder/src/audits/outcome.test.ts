import { expect, test } from 'vitest'
import { deadlineOf, isDenial, sampleOf } from './outcome.ts'

const piece = 16 * 2 ** 20

test('a piece has four round trips, a quarter of a second, and its bytes at 1 Mbit/s', () => {
  expect(deadlineOf(0, 0)).toBe(250)
  expect(deadlineOf(0, 30)).toBe(370)
  expect(deadlineOf(piece, 30)).toBeCloseTo(370 + piece / 128)
})

test('of a large piece 16 KiB from anywhere within it are the sample; a small one has none', () => {
  expect(sampleOf(32_768, 0.5)).toBeUndefined()
  expect(sampleOf(piece, 0)).toEqual({ start: 0, length: 16_384 })
  const last = sampleOf(piece, 0.999_999_999)!
  expect(last.start + last.length).toBeLessThanOrEqual(piece)
  expect(last.start).toBeGreaterThan(piece - 2 * 16_384)
})

test('who answers everything slowly gains two seconds by it and no more', () => {
  expect(deadlineOf(0, 500)).toBe(2250)
  expect(deadlineOf(0, 60_000)).toBe(2250)
})

test('a holder that says it has it not, or is another, fails; one that cannot answer now does not', () => {
  expect([400, 404, 416, 421].filter(isDenial)).toHaveLength(4)
  expect([200, 401, 403, 408, 410, 429, 500, 502, 503, 504].filter(isDenial)).toEqual([])
})
