/** One that waits for its turn at gates. */
export interface Waiting {
  /** The bytes that it waited for have passed. */
  passed(): void
}

/** What may pass at once after a lull, in seconds of the rate. It makes up for timers that fire late. */
const reserve = 0.25

/** What passed too early under another rate holds nobody up for longer, in seconds of the rate. */
const mostOldDebt = 0.5

/**
 * Lets so many bytes pass in a second, of each who waits in turn. The last to pass may overdraw, and the next waits for
 * as much longer, so that a rate far below a block's size holds too.
 */
export class Gate {
  readonly #now: () => number
  readonly #queue = new Map<Waiting, number>()
  #rate = 0
  /** Bytes that may pass; below 0 those that passed too early. */
  #level = 0
  #at: number
  #timer: NodeJS.Timeout | undefined

  /** @param now milliseconds, never backwards */
  constructor(now: () => number) {
    this.#now = now
    this.#at = now()
  }

  /** Bytes per second; 0 is no limit. */
  get rate(): number {
    return this.#rate
  }

  set rate(rate: number) {
    if (rate === this.#rate) return
    this.#refill()
    this.#rate = rate
    this.#level = Math.max(Math.min(this.#level, rate * reserve), -rate * mostOldDebt)
    this.#work()
  }

  /** @returns whether the bytes pass now; else `waiting` is told later, unless it leaves before */
  pass(waiting: Waiting, bytes: number): boolean {
    if (this.#rate === 0) return true
    this.#refill()
    if (this.#queue.size === 0 && this.#level > 0) {
      this.#level -= bytes
      return true
    }
    this.#queue.set(waiting, bytes)
    this.#wait()
    return false
  }

  /** Bytes that passed were not used. */
  giveBack(bytes: number): void {
    if (this.#rate === 0) return
    this.#level += bytes
    this.#rest()
    if (this.#queue.size > 0) this.#wait()
  }

  leave(waiting: Waiting): void {
    this.#queue.delete(waiting)
    if (this.#queue.size === 0) this.#rest()
  }

  /** Milliseconds until what passed has been made up for. */
  get debt(): number {
    this.#refill()
    return this.#rate === 0 ? 0 : Math.max(0, (-this.#level * 1000) / this.#rate)
  }

  #refill(): void {
    const now = this.#now()
    this.#level = Math.min(this.#level + ((now - this.#at) / 1000) * this.#rate, this.#rate * reserve)
    this.#at = now
  }

  #work(): void {
    this.#rest()
    this.#refill()
    // Who has passed may come back in the meantime, and then waits behind all others.
    for (const [waiting, bytes] of this.#queue) {
      if (this.#rate > 0 && this.#level <= 0) return this.#wait()
      this.#queue.delete(waiting)
      if (this.#rate > 0) this.#level -= bytes
      waiting.passed()
    }
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => this.#work(), this.debt + 1).unref()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
