import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { infoHash, TestSchedule } from './fake-tracker.ts'

const [second, minute] = [1_000, 60_000]

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds)

/** Times of the announces of an item, in seconds since the test began. */
const times = (bed: TestSchedule, item: number): number[] =>
  bed.tracker.heard
    .filter((announce) => announce.infoHash === infoHash(item))
    .map(({ at }) => Math.round((at - 1_000_000_000_000) / 1000))

test.each([
  ['what it asks for', 600, 600],
  ['a moment, when it asks for less', 0.001, 15],
  ['some hours, when it asks for a year', 31_536_000, 14_400],
  ['some hours, when it asks for ever', Infinity, 14_400],
  ['the usual, when it says nothing', undefined, 1_800],
  ['the usual, when it goes back in time', -600, 1_800],
  ['the usual, when it asks for nothing', 0, 1_800],
  ['the usual, when it sends no number', NaN, 1_800],
])('a tracker hears of an item again after %s', async (_what, sent, expected) => {
  const bed = new TestSchedule()
  bed.tracker.interval = sent
  bed.add(1)
  await pass(expected * 2.5 * second)
  const [first = NaN, next = NaN, third = NaN] = times(bed, 1)
  for (const gap of [next - first, third - next]) {
    expect(gap).toBeGreaterThanOrEqual(expected)
    expect(gap).toBeLessThan(expected + 2)
  }
  expect(bed.events(1)).toEqual(['started', 'update', 'update'])
  expect(vi.getTimerCount()).toBe(1)
})

test('a tracker is not asked before its shortest interval is over, not even when somebody waits', async () => {
  const bed = new TestSchedule()
  bed.tracker.minInterval = 40
  await pass(900)
  bed.add(1)
  await pass(10 * second)
  bed.schedule.hurry(bed.slot(1))
  bed.schedule.hurry(bed.slot(1))
  await pass(29.9 * second)
  expect(times(bed, 1)).toHaveLength(1)
  await pass(3 * second)
  expect(bed.events(1)).toEqual(['started', 'update'])
  bed.progress = { uploaded: 0, downloaded: 0, left: 1 }
  bed.add(2)
  await pass(2 * minute)
  expect(bed.events(2)).toEqual(['started', 'update', 'update'])
  const { heard } = bed.tracker
  for (const item of [1, 2]) {
    const at = heard.filter((announce) => announce.infoHash === infoHash(item)).map((announce) => announce.at)
    for (const [index, time] of at.slice(1).entries()) {
      expect(time - (at[index] ?? 0)).toBeGreaterThanOrEqual(40 * second)
    }
  }
})

test('without a shortest interval an item that somebody waits for is announced at once, and once', async () => {
  const bed = new TestSchedule()
  bed.tracker.delay = 1_000
  bed.add(1)
  bed.schedule.hurry(bed.slot(1))
  await pass(2 * second)
  bed.schedule.hurry(bed.slot(1))
  bed.schedule.hurry(bed.slot(1))
  await pass(minute)
  expect(times(bed, 1)).toEqual([0, 2, 3])
})

test('while something is missing, sources are asked for more often', async () => {
  const bed = new TestSchedule()
  bed.progress = { uploaded: 0, downloaded: 0, left: 1 }
  bed.add(1)
  await pass(100 * second)
  expect(bed.events(1)).toHaveLength(4)
  bed.progress = { uploaded: 0, downloaded: 1, left: 0 }
  bed.schedule.complete(bed.slot(1))
  await pass(20 * minute)
  expect(bed.events(1)).toEqual(['started', 'update', 'update', 'update', 'completed'])
  expect(bed.tracker.heard.at(-1)).toMatchObject({ downloaded: 1, left: 0 })
})

test('a tracker that named peers is left alone for its interval, though something is missing', async () => {
  const bed = new TestSchedule()
  bed.progress = { uploaded: 0, downloaded: 0, left: 1 }
  bed.tracker.peers = ['192.0.2.1:1']
  bed.add(1)
  await pass(10 * second)
  bed.tracker.peers = ['192.0.2.1:1', '192.0.2.2:2']
  await pass(20 * minute)
  // The one peer may have been this node.
  expect(times(bed, 1)).toEqual([0, 30])
  await pass(15 * minute)
  expect(bed.events(1)).toHaveLength(3)
})

test('what was never announced starts whole, and is not completed', async () => {
  const bed = new TestSchedule()
  bed.table.add(infoHash(1))
  bed.schedule.complete(bed.slot(1))
  await pass(second)
  expect(bed.events(1)).toEqual(['started'])
})

test('an item that was completed while its start was under way is completed after that', async () => {
  const bed = new TestSchedule()
  bed.tracker.delay = 1_000
  bed.add(1)
  bed.schedule.complete(bed.slot(1))
  await pass(5 * second)
  expect(bed.events(1)).toEqual(['started', 'completed'])
})

test('a slot that is given again: the farewell is of the old item, and everything else of the new one', async () => {
  const bed = new TestSchedule()
  bed.add(1)
  await pass(second)
  const slot = bed.slot(1)
  bed.tracker.delay = 1_000
  bed.schedule.hurry(slot)
  bed.remove(1)
  bed.add(2)
  expect(bed.slot(2)).toBe(slot)
  let failures = 0
  bed.tracker.judge = (announce) => {
    if (announce.infoHash === infoHash(2) && failures++ === 0) throw new TrackerFailedError('fake:', 'lost')
  }
  await pass(10 * second)
  expect(bed.events(1)).toEqual(['started', 'update', 'stopped'])
  // The answer about the old one does not count for it.
  expect(bed.events(2)).toEqual(['started', 'started'])
})

test('an item that is removed and added again while an announce of it is under way', async () => {
  const bed = new TestSchedule()
  bed.tracker.delay = 1_000
  bed.add(1)
  bed.remove(1)
  bed.add(2)
  bed.add(1)
  bed.remove(1)
  bed.add(1)
  await pass(10 * second)
  expect(bed.events(1)).toEqual(['started', 'started'])
  bed.remove(1)
  await pass(10 * second)
  expect(bed.events(1)).toEqual(['started', 'started', 'stopped'])
  await pass(60 * minute)
  expect(bed.events(1)).toHaveLength(3)
})

test('an item that is added again and removed for good while an announce of it is under way', async () => {
  const bed = new TestSchedule()
  bed.tracker.delay = 1_000
  bed.add(1)
  bed.remove(1)
  bed.add(1)
  bed.remove(1)
  await pass(60 * minute)
  expect(bed.events(1)).toEqual(['started', 'stopped'])
})

test('refused items come back late and later, others are not held up, and no farewell is said of them', async () => {
  const bed = new TestSchedule()
  bed.tracker.judge = (announce) => {
    if (announce.infoHash === infoHash(1)) throw new TrackerRefusedError('fake:', 'unregistered')
  }
  bed.add(1)
  bed.add(2)
  await pass(3.6 * 60 * minute)
  const [first = 0, next = 0, third = 0] = times(bed, 1)
  expect([next - first, third - next].map((gap) => Math.round(gap / 600))).toEqual([3, 6])
  expect(new Set(bed.events(1))).toEqual(new Set(['started']))
  expect(bed.events(2)).toHaveLength(8)
  expect(bed.stood).toEqual([])
  bed.remove(1)
  await pass(minute)
  expect(bed.events(1)).not.toContain('stopped')
})

test.each([
  ['in ten minutes', 600_000, 600],
  ['never', Infinity, 14_400],
  ['at once', 0, 15],
])('a refusal that says to come again %s', async (_what, retryIn, expected) => {
  const bed = new TestSchedule()
  bed.tracker.judge = () => {
    throw new TrackerRefusedError('fake:', 'not now', retryIn)
  }
  bed.add(1)
  await pass((expected - 1) * second)
  expect(times(bed, 1)).toEqual([0])
  await pass(3 * second)
  expect(times(bed, 1)).toHaveLength(2)
})

test('a tracker that asks to be left alone for a while is', async () => {
  const bed = new TestSchedule()
  bed.restore(1_000)
  await pass(2 * second)
  bed.tracker.judge = () => {
    throw new TrackerFailedError('fake:', 'HTTP status 429', { retryAfter: 90_000 })
  }
  await pass(second)
  bed.tracker.judge = () => {}
  const asked = bed.tracker.heard.length
  bed.add(5_000)
  await pass(88 * second)
  expect(bed.tracker.heard.length).toBe(asked)
  await pass(5 * second)
  expect(bed.events(5_000)).toEqual(['started'])
})

test('one announce that fails among many holds nobody up, and is tried again by itself', async () => {
  const bed = new TestSchedule()
  bed.tracker.judge = (announce) => {
    if (announce.infoHash === infoHash(3)) throw new TrackerFailedError('fake:', 'HTTP status 500')
  }
  bed.restore(500)
  await pass(5 * minute)
  expect(new Set(bed.tracker.heard.map((announce) => announce.infoHash)).size).toBe(500)
  expect(bed.stood).toEqual([])
  const asked = bed.events(3).length
  expect(asked).toBeGreaterThan(3)
  expect(asked).toBeLessThan(12)
})

test('pauses of a tracker that is down grow, differ from node to node, and are short again after a good while', async () => {
  const pauses = async (random: number): Promise<number[]> => {
    const bed = new TestSchedule({ random: () => random })
    bed.tracker.down = true
    for (let item = 0; item < 20; item++) bed.add(item)
    await pass(30 * minute)
    const at = bed.tracker.heard.map((announce) => announce.at)
    return at.slice(1).map((time, index) => Math.round((time - (at[index] ?? 0)) / 100) / 10)
  }
  expect((await pauses(0)).slice(0, 10)).toEqual([0.5, 1, 2, 4, 8, 16, 32, 64, 112.5, 112.5])
  expect((await pauses(1)).slice(0, 4)).toEqual([1.5, 3, 6, 12])
})

test('many items that come at once are announced at once up to some, and none is lost', async () => {
  const bed = new TestSchedule()
  for (let item = 0; item < 3_000; item++) bed.add(item)
  await pass(500)
  expect(bed.tracker.heard.length).toBeGreaterThan(200)
  expect(bed.tracker.heard.length).toBeLessThan(400)
  await pass(30 * second)
  expect(new Set(bed.tracker.heard.map((announce) => announce.infoHash)).size).toBe(3_000)
})

test('a small library is announced at once', async () => {
  const bed = new TestSchedule()
  bed.restore(20)
  await pass(300)
  expect(bed.tracker.heard).toHaveLength(20)
})

test('an item that was to wait for its turn is announced at once when it is added', async () => {
  const bed = new TestSchedule()
  bed.restore(10_000)
  await pass(second)
  bed.add(9_999)
  expect(bed.events(9_999)).toEqual(['started'])
})
