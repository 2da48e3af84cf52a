import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { configSchema } from '../config.ts'
import type { SwarmLimits } from '../swarm/index.ts'
import { Limits } from './index.ts'

const zone = process.env['TZ']
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin'
})
afterAll(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

const settings = (swarm: object) =>
  configSchema.parse({ http: {}, network: {}, node: {}, storage: {}, replicas: {}, retention: {}, log: {}, swarm })
    .swarm
const alternative = { days: ['fri', 'sat'], from: '22:00', to: '06:00', uploadLimit: 10, downloadLimit: 20 }
let set: Partial<SwarmLimits>[]
let limits: Limits

beforeEach(() => {
  vi.useFakeTimers()
  set = []
})
afterEach(() => {
  limits.close()
  vi.useRealTimers()
})

function start(swarm: object, time: string): void {
  vi.setSystemTime(new Date(time))
  const swarmPort = { limit: (given: Partial<SwarmLimits>) => void set.push(given) }
  limits = new Limits({ settings: settings(swarm), swarm: swarmPort, log: pino({ level: 'silent' }), now: Date.now })
  limits.start()
}
const rates = () => set.map(({ uploadLimit, downloadLimit }) => [uploadLimit, downloadLimit])

test('every limit is told to the swarm, in its own units', () => {
  start({ uploadLimit: 1, downloadLimit: 2, idleAfter: 3, maxConns: 4 }, '2026-11-20T12:00')
  expect(set).toEqual([
    expect.objectContaining({ uploadLimit: 1, downloadLimit: 2, idleAfter: 3000, maxConns: 4, maxActive: 500 }),
  ])
  expect(vi.getTimerCount()).toBe(0)
})

test('the alternative limits come and go to the millisecond, by one timer', () => {
  start({ uploadLimit: 1, downloadLimit: 2, alternative }, '2026-11-20T12:00')
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(10 * 3_600_000 - 1)
  expect(rates()).toEqual([[1, 2]])
  vi.advanceTimersByTime(1)
  expect(rates()).toEqual([
    [1, 2],
    [10, 20],
  ])
  expect(limits.alternative).toBe(true)
  vi.advanceTimersByTime(8 * 3_600_000)
  expect(rates().at(-1)).toEqual([1, 2])
  vi.advanceTimersByTime(7 * 86_400_000)
  expect(rates()).toHaveLength(7)
  expect(vi.getTimerCount()).toBe(1)
  limits.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a start in the middle of them has them at once, and other settings hold at once', () => {
  start({ uploadLimit: 1, alternative }, '2026-11-21T05:59')
  expect(rates()).toEqual([[10, 20]])
  limits.change(settings({ uploadLimit: 5, alternative: { ...alternative, uploadLimit: 11 } }))
  expect(rates().at(-1)).toEqual([11, 20])
  limits.change(settings({ uploadLimit: 5 }))
  expect(rates().at(-1)).toEqual([5, 0])
  expect([limits.alternative, vi.getTimerCount()]).toEqual([false, 0])
})

test('a clock that is set is noticed within a minute, and nothing is told to the swarm in between', () => {
  start({ uploadLimit: 1, alternative }, '1970-01-05T00:05')
  vi.advanceTimersByTime(3_600_000)
  expect(rates()).toEqual([[1, 0]])
  vi.setSystemTime(new Date('2026-11-20T22:30'))
  vi.advanceTimersByTime(60_000)
  expect(rates()).toEqual([
    [1, 0],
    [10, 20],
  ])
})
