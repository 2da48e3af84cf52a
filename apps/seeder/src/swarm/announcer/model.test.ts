import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { infoHash, TestSchedule } from './fake-tracker.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

test.each(Array.from({ length: 20 }, (_, index) => index + 1))(
  'whatever happens in which order, the tracker ends up knowing what is here (%i)',
  async (seed) => {
    let state = seed
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const bed = new TestSchedule({ concurrency: 4 })
    const [here, known, underWay] = [new Set<number>(), new Set<string>(), new Map<string, number>()]
    let [overlaps, trouble] = [0, true]
    const announce = bed.tracker.announce.bind(bed.tracker)
    bed.tracker.announce = async (announced) => {
      const { infoHash: name, event } = announced
      underWay.set(name, (underWay.get(name) ?? 0) + 1)
      if ((underWay.get(name) ?? 0) > 1) overlaps++
      bed.tracker.delay = random(3_000)
      try {
        const answer = await announce(announced)
        if (event === 'stopped') known.delete(name)
        else known.add(name)
        return answer
      } catch (error) {
        if (error instanceof TrackerRefusedError) known.delete(name)
        throw error
      } finally {
        underWay.set(name, (underWay.get(name) ?? 0) - 1)
      }
    }
    bed.tracker.judge = ({ event }) => {
      if (!trouble || event === 'stopped') return
      if (random(20) === 0) throw new TrackerFailedError('fake:', 'lost')
      if (random(40) === 0) throw new TrackerRefusedError('fake:', 'not you')
    }
    for (let turn = 0; turn < 3_000; turn++) {
      const item = random(12)
      const kind = random(8)
      if (kind < 3 && !here.has(item)) {
        here.add(item)
        if (kind === 0) bed.restore(1, item)
        else bed.add(item)
      } else if (kind === 3 && here.delete(item)) bed.remove(item)
      else if (kind === 4 && here.delete(item)) bed.handOver(item)
      else if (kind === 5 && here.has(item)) bed.schedule.hurry(bed.slot(item))
      else if (kind === 6 && here.has(item)) bed.schedule.complete(bed.slot(item))
      else await vi.advanceTimersByTimeAsync(random(1_500))
    }
    trouble = false
    await vi.advanceTimersByTimeAsync(5 * 60 * 60_000)
    expect(overlaps).toBe(0)
    expect([...known].toSorted()).toEqual([...here].map(infoHash).toSorted())
    for (const item of here) bed.remove(item)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(known.size).toBe(0)
    expect(vi.getTimerCount()).toBeLessThan(2)
  },
)
