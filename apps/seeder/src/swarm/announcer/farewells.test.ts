import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TestSchedule } from './fake-tracker.ts'

const [second, minute] = [1_000, 60_000]

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds)

test('a farewell says what was sent and what is missing', async () => {
  const bed = new TestSchedule()
  bed.progress = { uploaded: 7, downloaded: 3, left: 5 }
  for (const item of [1, 2]) bed.add(item)
  await pass(500)
  bed.tracker.down = true
  bed.remove(1)
  await pass(second)
  bed.tracker.down = false
  await pass(2 * second)
  await bed.schedule.close(3_000)
  const farewells = bed.tracker.heard.filter(({ event, answered }) => event === 'stopped' && answered)
  expect(farewells.length).toBeGreaterThan(0)
  for (const farewell of farewells) expect(farewell).toMatchObject({ uploaded: 7, downloaded: 3, left: 5 })
})

test('farewells on closing: the latest first, none twice, and no longer than they may take', async () => {
  const bed = new TestSchedule()
  bed.restore(50_000)
  await pass(10 * minute)
  const announced = bed.tracker.heard.map((announce) => announce.infoHash)
  bed.tracker.heard.length = 0
  bed.tracker.delay = 100
  const closed = bed.schedule.close(3_000)
  await pass(2_999)
  expect(bed.tracker.closed).toBe(false)
  await pass(1)
  await closed
  expect(bed.tracker.closed).toBe(true)
  const told = bed.tracker.heard.map((announce) => announce.infoHash)
  expect(new Set(bed.tracker.heard.map(({ event }) => event))).toEqual(new Set(['stopped']))
  // 32 at a time, a tenth of a second each.
  expect(told.length).toBe(960)
  expect(new Set(told).size).toBe(told.length)
  const latest = new Set(announced.slice(-1_200))
  expect(told.every((known) => latest.has(known))).toBe(true)
  await pass(60 * minute)
  expect(bed.tracker.heard).toHaveLength(960)
  expect(vi.getTimerCount()).toBe(0)
})

test('closing says farewell to what was being announced, and nothing to a tracker that does not hear', async () => {
  const bed = new TestSchedule()
  bed.add(1)
  await pass(second)
  bed.add(2)
  bed.remove(1)
  await bed.schedule.close(3_000)
  expect(bed.events(1)).toEqual(['started', 'stopped'])
  expect(bed.events(2)).toEqual(['started', 'stopped'])

  const deaf = new TestSchedule()
  deaf.tracker.down = true
  deaf.add(1)
  await pass(second)
  const asked = deaf.tracker.heard.length
  await deaf.schedule.close(3_000)
  expect(deaf.tracker.heard).toHaveLength(asked)
})

test('farewells to a tracker that fails all of a sudden are given up', async () => {
  const bed = new TestSchedule({ concurrency: 2 })
  bed.restore(1_000)
  await pass(minute)
  bed.tracker.down = true
  bed.tracker.heard.length = 0
  await bed.schedule.close(3_000)
  expect(bed.tracker.heard.length).toBeLessThan(6)
})
