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

const [fetching, whole] = [
  { uploaded: 0, downloaded: 0, left: 5 },
  { uploaded: 0, downloaded: 5, left: 0 },
]

test.each([0, 2_000])(
  'a fetched item is complete, and goes on as a seeded one (announces take %i ms)',
  async (delay) => {
    const bed = new TestSchedule()
    bed.tracker.delay = delay
    bed.progress = fetching
    bed.add(1)
    await pass(500)
    bed.progress = whole
    bed.schedule.complete(bed.slot(1))
    bed.handOver(1)
    bed.add(2)
    await pass(5 * second)
    bed.progress = undefined
    bed.add(1)
    await pass(25 * minute)
    expect(bed.events(1)).toEqual(['started', 'completed'])
    expect(bed.tracker.heard.find(({ event }) => event === 'completed')).toMatchObject({ left: 0 })
    await pass(10 * minute)
    expect(bed.events(1)).toEqual(['started', 'completed', 'update'])
    bed.remove(1)
    await pass(minute)
    expect(bed.events(1).at(-1)).toBe('stopped')
  },
)

test('a fetched item that is seeded while the start is under way is complete after that', async () => {
  const bed = new TestSchedule()
  bed.tracker.delay = 2_000
  bed.progress = fetching
  bed.add(1)
  await pass(500)
  bed.progress = whole
  bed.schedule.complete(bed.slot(1))
  bed.handOver(1)
  bed.progress = undefined
  bed.add(1)
  await pass(25 * minute)
  expect(bed.events(1)).toEqual(['started', 'completed'])
})

test('a fetched item that is not seeded is gone after a minute, and one that is fetched again starts at once', async () => {
  const bed = new TestSchedule()
  bed.progress = fetching
  for (const item of [1, 2]) bed.add(item)
  await pass(500)
  bed.progress = whole
  for (const item of [1, 2]) {
    bed.schedule.complete(bed.slot(item))
    bed.handOver(item)
  }
  await pass(10 * second)
  bed.progress = fetching
  bed.add(2)
  await pass(second)
  expect(bed.events(2)).toEqual(['started', 'completed', 'started'])
  await pass(minute)
  expect(bed.events(1)).toEqual(['started', 'completed', 'stopped'])
})
