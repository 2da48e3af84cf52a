import { ClockError, MAX_CLOCK_SKEW, nextTimestamp } from '../envelope/index.ts'
import type { Where } from './places.ts'

/** The times that this node signs, strictly rising in each place. */
export class OwnTimes {
  readonly #now: () => number
  /** Times given to values that are not stored yet, so that two publications of one key differ. */
  readonly #given = new Map<string, number>()
  #newest = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Takes notice of the time of a value that is stored. */
  stored(ts: number): void {
    this.#newest = Math.max(this.#newest, ts)
  }

  /**
   * @param last the time of what lies under the key, in public or not
   * @throws ClockError when what is stored lies further ahead of this machine's clock than others would take
   */
  next(where: Where, last: number | undefined): number {
    const now = this.#now()
    if (this.#newest - now > MAX_CLOCK_SKEW) throw new ClockError(this.#newest, now)
    const ts = nextTimestamp(this.#given.get(nameOf(where)) ?? last, now)
    this.#given.set(nameOf(where), ts)
    return ts
  }

  /** What was given for this value is stored by now, or never will be. */
  settled(where: Where, ts: number): void {
    if (this.#given.get(nameOf(where)) === ts) this.#given.delete(nameOf(where))
  }
}

function nameOf({ soul, key }: Where): string {
  return `${soul} ${key}`
}
