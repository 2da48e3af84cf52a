/** Timers of a longer time are set in steps. */
const longestMs = 3_600_000

/** One timer, on the next thing that will be due. */
export class Wake {
  readonly #act: () => void
  #timer: NodeJS.Timeout | undefined
  /** When it is to fire. */
  #at = Infinity

  constructor(act: () => void) {
    this.#act = act
  }

  /** @param at when something is due next, Infinity when nothing is; by the clock of `now` */
  set(at: number, now: number): void {
    if (at === this.#at) return
    clearTimeout(this.#timer)
    this.#at = at
    if (at === Infinity) return
    const wake = (): void => {
      this.#at = Infinity
      this.#act()
    }
    this.#timer = setTimeout(wake, Math.min(Math.ceil(at - now), longestMs))
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
