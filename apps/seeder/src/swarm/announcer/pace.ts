import { usualInterval } from './intervals.ts'

/** Announces per second that are never too many: a small library is announced at once. */
const floor = 20
const small = 25

/** Announces per second whatever is asked for, so that no tracker can keep this node's processor busy. */
const ceiling = 2_000

/** Past the even rate by so much while there is a backlog. */
const most = 1.5

/** Seconds of announces that may be made at once, when a timer comes late. */
const slack = 0.5

/** Announces new items at once and still not thousands of them. */
const [urgentBurst, urgentRate] = [250, 125]

/**
 * How many announces a tracker gets now. The even rate is the number of items over the tracker's interval; what has
 * waited longer than it should raises it, gently, to half as much again. So whatever piled up is gone within two thirds
 * of an interval, and a pile of announces does not come again as one at the next interval but a little wider each time.
 */
export class Pace {
  /** Milliseconds that the tracker wants between announces of one item; undefined until it said so. */
  interval: number | undefined
  /** Milliseconds that have to lie between two announces of one item, whatever happens. */
  minInterval = 0
  #credit = small
  #urgent = urgentBurst
  #at: number

  constructor(now: number) {
    this.#at = now
  }

  /** Milliseconds: what the tracker wants, or is taken to want until it said so. */
  get usual(): number {
    return this.interval ?? usualInterval
  }

  /** Milliseconds until an item is announced again. */
  get wait(): number {
    return Math.max(this.usual, this.minInterval)
  }

  heard(interval: number, minInterval: number): void {
    this.minInterval = minInterval
    this.interval = this.interval === undefined ? interval : this.interval + (interval - this.interval) / 16
  }

  /** Counts the time since it was last called. `late` is how many milliseconds the first of `items` has waited. */
  pass(now: number, items: number, late: number): void {
    const seconds = Math.max(now - this.#at, 0) / 1000
    this.#at = now
    const rate = this.#rate(items, late)
    this.#credit = Math.min(this.#credit + rate * seconds, items <= small ? small : Math.max(rate * slack, 1))
    this.#urgent = Math.min(this.#urgent + Math.max(urgentRate, rate) * seconds, urgentBurst)
  }

  take(): boolean {
    if (this.#credit < 1) return false
    this.#credit--
    return true
  }

  takeUrgent(): boolean {
    if (this.#urgent < 1) return false
    this.#urgent--
    return true
  }

  /** Milliseconds over which so many items are spread when all wait at once, at `times` the even rate. */
  span(items: number, times = 1): number {
    if (items <= small || this.interval === undefined) return 0
    return Math.min(this.interval / times, (items / floor) * 1000)
  }

  #rate(items: number, late: number): number {
    if (this.interval === undefined) return floor
    const haste = Math.min(1 + (8 * Math.max(late, 0)) / this.interval, most)
    return Math.min(Math.max((haste * items * 1000) / this.interval, floor), ceiling)
  }
}
