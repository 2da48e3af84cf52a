import { InfoHashTable } from '../awake/info-hash-table.ts'
import { TrackerFailedError } from './errors.ts'
import type { Announce, AnnounceAnswer, Progress, TrackerConnection } from './port.ts'
import { Schedule } from './schedule.ts'
import type { ScheduleOptions } from './schedule-options.ts'

interface Heard extends Announce {
  at: number
  answered: boolean
}

/** A tracker without a network, on the clock of the test. */
class FakeTracker implements TrackerConnection {
  /** Every announce, answered or not, with its time in milliseconds. */
  readonly heard: Heard[] = []
  /** Seconds. */
  interval: number | undefined = 1_800
  minInterval: number | undefined
  peers: string[] = []
  down = false
  closed = false
  /** Milliseconds until an answer. */
  delay = 0
  /** Throws for what is to fail. */
  judge: (announce: Announce) => void = () => {}

  async announce(announce: Announce): Promise<AnnounceAnswer> {
    const heard = { ...announce, at: Date.now(), answered: false }
    this.heard.push(heard)
    if (this.delay > 0) await new Promise((resolve) => setTimeout(resolve, this.delay))
    if (this.down) throw new TrackerFailedError('fake:', 'down')
    this.judge(announce)
    heard.answered = true
    const { interval, minInterval, peers } = this
    return {
      interval: interval === undefined ? undefined : interval * 1000,
      minInterval: minInterval === undefined ? undefined : minInterval * 1000,
      peers,
    }
  }

  close(): void {
    this.closed = true
  }

  /** Announces between two times. */
  between(from: number, to: number): Heard[] {
    return this.heard.filter(({ at }) => at >= from && at < to)
  }

  /** The most announces in any window of so many seconds that begins on a whole one. */
  peak(from: number, to: number, seconds: number): number {
    const perSecond = new Uint32Array(Math.ceil((to - from) / 1000) + seconds)
    for (const { at } of this.between(from, to)) {
      const second = Math.floor((at - from) / 1000)
      perSecond[second] = (perSecond[second] ?? 0) + 1
    }
    let peak = 0
    for (let begin = 0; begin + seconds <= perSecond.length; begin++) {
      peak = Math.max(
        peak,
        perSecond.subarray(begin, begin + seconds).reduce((sum, count) => sum + count, 0),
      )
    }
    return peak
  }
}

/** A schedule on the clock of the test, for items that are numbers. */
export class TestSchedule {
  readonly tracker = new FakeTracker()
  readonly table = new InfoHashTable()
  readonly schedule: Schedule
  readonly stood: boolean[] = []
  progress: Progress | undefined

  constructor(options: Partial<ScheduleOptions> = {}) {
    this.schedule = new Schedule({
      tracker: this.tracker,
      table: this.table,
      concurrency: 32,
      farewell: true,
      progress: () => this.progress,
      answered: () => {},
      failed: () => {},
      stands: (up) => this.stood.push(up),
      now: Date.now,
      random: () => 0.5,
      ...options,
    })
  }

  add(item: number): void {
    this.schedule.add(this.table.add(infoHash(item)))
  }

  restore(count: number, from = 0, outOf = count): void {
    const slots = Array.from({ length: count }, (_, item) => this.table.add(infoHash(from + item)))
    this.schedule.restore(slots, outOf)
  }

  remove(item: number): void {
    const slot = this.table.slotOf(infoHash(item))
    if (slot !== undefined) this.schedule.remove(slot)
    this.table.delete(infoHash(item))
  }

  handOver(item: number): void {
    this.schedule.handOver(this.slot(item))
    this.table.delete(infoHash(item))
  }

  slot(item: number): number {
    return this.table.slotOf(infoHash(item)) ?? -1
  }

  /** Events that the tracker heard of an item. */
  events(item: number): string[] {
    return this.tracker.heard.filter((announce) => announce.infoHash === infoHash(item)).map(({ event }) => event)
  }
}

export function infoHash(item: number): string {
  return item.toString(16).padStart(40, '0')
}
