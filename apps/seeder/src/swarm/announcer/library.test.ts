import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TestSchedule } from './fake-tracker.ts'

const [minute, window] = [60_000, 5]
const items = 100_000

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** How many items were announced in a time, and the extremes of the time between two announces of one. */
function counted(bed: TestSchedule, from: number, to: number): { different: number; soonest: number; latest: number } {
  const last = new Map<string, number>()
  let [soonest, latest] = [Infinity, 0]
  for (const { infoHash, at, answered } of bed.tracker.between(from, to)) {
    if (!answered) continue
    const before = last.get(infoHash)
    if (before !== undefined) [soonest, latest] = [Math.min(soonest, at - before), Math.max(latest, at - before)]
    last.set(infoHash, at)
  }
  return { different: last.size, soonest, latest }
}

describe.each([2, 30])('100,000 items at an interval of %i minutes', (minutes) => {
  const interval = minutes * minute
  const even = items / (interval / 1000)
  const began = 1_000_000_000_000

  test('are announced evenly from the start on, with one timer and one look at each', async () => {
    const bed = new TestSchedule()
    bed.tracker.interval = interval / 1000
    bed.tracker.delay = 1_000
    bed.restore(items)
    // What the interval is says the first answer.
    await vi.advanceTimersByTimeAsync(900)
    expect(bed.tracker.heard.length).toBe(1)
    bed.tracker.delay = 0
    const looks = vi.spyOn(bed.table, 'infoHashAt')
    await vi.advanceTimersByTimeAsync(1.03 * interval)
    const lap = began + 1.03 * interval
    expect(counted(bed, 0, lap).different).toBe(items)
    await vi.advanceTimersByTimeAsync(interval)
    const { soonest, latest } = counted(bed, 0, lap + interval)
    expect(soonest).toBeGreaterThanOrEqual(interval)
    expect(latest).toBeLessThan(1.05 * interval)
    expect(bed.tracker.peak(began, Date.now(), window)).toBeLessThan(1.2 * even * window)
    const tenths = Array.from({ length: 10 }, (_, tenth) =>
      bed.tracker.between(lap + (tenth * interval) / 10, lap + ((tenth + 1) * interval) / 10),
    )
    for (const { length } of tenths) expect(length / (items / 10)).toBeCloseTo(1, 0.9)
    expect(vi.getTimerCount()).toBe(1)
    expect(looks.mock.calls.length).toBeLessThan(2.1 * items)
  })

  test('are announced evenly though they become known in parts', async () => {
    const bed = new TestSchedule()
    bed.tracker.interval = interval / 1000
    bed.restore(1_000, 0, items)
    await vi.advanceTimersByTimeAsync(100)
    for (let known = 1_000; known < items; known += 1_000) bed.restore(1_000, known, items)
    await vi.advanceTimersByTimeAsync(interval)
    expect(counted(bed, 0, Date.now()).different).toBeGreaterThan(0.97 * items)
    // What nobody has asked yet is announced at once.
    expect(bed.tracker.peak(began + minute / 6, Date.now(), window)).toBeLessThan(1.1 * even * window)
  })

  test.each([
    ['fails', 1.5],
    ['fails', 0.5],
    ['drops its connection', 1.5],
  ])('a tracker that %s for ten minutes after %d intervals', async (how, after) => {
    const bed = new TestSchedule()
    bed.tracker.interval = interval / 1000
    bed.restore(items)
    await vi.advanceTimersByTimeAsync(after * interval)
    bed.tracker.down = true
    if (how !== 'fails') bed.schedule.restart(new Error('gone'))
    const before = bed.tracker.heard.length
    await vi.advanceTimersByTimeAsync(10 * minute)
    // While it is down, hardly more than one announce at a time is tried.
    expect(bed.tracker.heard.length - before).toBeLessThan(100)
    expect(bed.stood).toEqual([false])
    bed.tracker.down = false
    const back = Date.now()
    await vi.advanceTimersByTimeAsync(3 * interval)
    expect(bed.stood).toEqual([false, true])
    expect(counted(bed, back, back + interval).different).toBe(items)
    expect(bed.tracker.peak(back, back + 3 * interval, window)).toBeLessThanOrEqual(2 * even * window)
    const { soonest, latest } = counted(bed, back, back + 3 * interval)
    expect(soonest).toBeGreaterThanOrEqual(interval)
    expect(latest).toBeLessThan(1.1 * interval)
  })
})

test('a library that is read page by page is announced as evenly', async () => {
  const bed = new TestSchedule()
  for (let from = 0; from < items; from += 1_000) {
    bed.restore(1_000, from, items)
    await vi.advanceTimersByTimeAsync(20)
  }
  await vi.advanceTimersByTimeAsync(30 * minute)
  expect(counted(bed, 0, Date.now()).different).toBe(items)
  expect(bed.tracker.peak(1_000_000_000_000, Date.now(), window)).toBeLessThan(1.2 * (items / 1_800) * window)
})

test('a new item is announced at once, whatever waits', async () => {
  const bed = new TestSchedule()
  bed.restore(items)
  await vi.advanceTimersByTimeAsync(10 * minute)
  bed.tracker.down = true
  await vi.advanceTimersByTimeAsync(20 * minute)
  bed.tracker.down = false
  await vi.advanceTimersByTimeAsync(10 * minute)
  bed.add(items)
  expect(bed.events(items)).toEqual(['started'])
})

test('an item costs few bytes', () => {
  const bed = new TestSchedule()
  const before = process.memoryUsage().arrayBuffers
  for (let slot = 0; slot < items; slot++) bed.table.add(slot.toString(16).padStart(40, '0'))
  const tabled = process.memoryUsage().arrayBuffers
  bed.restore(items)
  // With what was outgrown and not collected yet.
  expect((tabled - before) / items).toBeLessThan(150)
  expect((process.memoryUsage().arrayBuffers - tabled) / items).toBeLessThan(80)
})
