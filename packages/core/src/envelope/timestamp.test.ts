import { expect, test } from 'vitest'
import { ClockError } from './errors.ts'
import { MAX_CLOCK_SKEW, nextTimestamp } from './timestamp.ts'

test('timestamps rise strictly, even when the clock stands still or goes back', () => {
  expect(nextTimestamp(undefined, 1000)).toBe(1000)
  expect(nextTimestamp(999, 1000)).toBe(1000)
  expect(nextTimestamp(1000, 1000)).toBe(1001)
  expect(nextTimestamp(1001, 900)).toBe(1002)
})

test('a last timestamp more than 5 minutes ahead stops publishing', () => {
  expect(nextTimestamp(1000 + MAX_CLOCK_SKEW, 1000)).toBe(1001 + MAX_CLOCK_SKEW)
  expect(() => nextTimestamp(1001 + MAX_CLOCK_SKEW, 1000)).toThrow(ClockError)
})
