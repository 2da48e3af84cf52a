export interface Clocks {
  /** Milliseconds since 1970; it may be set at any time. */
  now: () => number
  /** Milliseconds of a clock that nobody sets, and that may stand still while the machine sleeps. */
  clock: () => number
}

/**
 * Milliseconds since 1970 that never go back: when the clock is set back they go on from where they are, so that nothing
 * waits for a time that was reached before.
 */
export class SteadyClock {
  readonly #clocks: Clocks
  #offset: number

  constructor(clocks: Clocks) {
    this.#clocks = clocks
    this.#offset = clocks.now() - clocks.clock()
  }

  now(): number {
    const { now, clock } = this.#clocks
    // It was set on, or the machine slept.
    this.#offset = Math.max(this.#offset, now() - clock())
    return Math.round(clock() + this.#offset)
  }

  /** How far it is ahead of the clock that was set back. */
  get ahead(): number {
    return Math.max(0, this.now() - this.#clocks.now())
  }
}
