import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Declined } from './declined.ts'

const hash = (n: number): string => n.toString(16).padStart(40, '0')
const hour = 3_600_000
let told: string[]
let removed: { infoHash: string; until: number }[]
let declined: Declined

beforeEach(() => {
  vi.useFakeTimers()
  told = []
  removed = []
  declined = new Declined({
    library: {
      get: () => undefined,
      forgive: (infoHash) => removed.splice(0, removed.length, ...removed.filter((one) => one.infoHash !== infoHash)),
      refuse: (infoHash, until) => removed.push({ infoHash, until }),
      refused: () => removed,
    },
    notice: {
      refuse: (infoHash) => told.push(`refuse ${infoHash}`),
      drop: (infoHash) => told.push(`drop ${infoHash}`),
    },
    forgiven: (infoHash) => told.push(`forgiven ${infoHash}`),
    now: Date.now,
  })
})

afterEach(() => {
  declined.close()
  vi.useRealTimers()
})

test('what is declined for a while is tried again after it, each at its own time', () => {
  declined.add(hash(1), 2 * hour)
  declined.add(hash(2), hour)
  vi.advanceTimersByTime(hour)
  expect([declined.has(hash(1)), declined.has(hash(2))]).toEqual([true, false])
  vi.advanceTimersByTime(hour)
  expect(declined.has(hash(1))).toBe(false)
  expect(told.slice(2)).toEqual([2, 2, 1, 1].map((n, i) => `${i % 2 === 0 ? 'drop' : 'forgiven'} ${hash(n)}`))
})

test('what is barred stays away until it is asked for, also when it was declined for a while', () => {
  declined.bar(hash(1))
  declined.add(hash(1), hour)
  vi.advanceTimersByTime(30 * 24 * hour)
  expect([declined.has(hash(1)), [...declined.barred()]]).toEqual([true, [hash(1)]])
  expect(told).not.toContain(`drop ${hash(1)}`)
  declined.retry(hash(1))
  declined.retry(hash(1))
  expect(declined.has(hash(1))).toBe(false)
  expect(told.filter((one) => one === `drop ${hash(1)}`)).toHaveLength(1)
})

test('what the operator removed is not asked for by others, and is here when its bytes came', () => {
  declined.bar(hash(1))
  declined.leave(hash(1))
  declined.retry(hash(1))
  expect([declined.has(hash(1)), declined.isBarred(hash(1))]).toEqual([true, false])
  expect(told).not.toContain(`drop ${hash(1)}`)
  declined.bar(hash(1))
  declined.claim(hash(1))
  expect([declined.has(hash(1)), removed]).toEqual([false, []])
})
