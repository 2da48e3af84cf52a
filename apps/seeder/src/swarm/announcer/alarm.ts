/** Wakes once, at the earliest of the moments asked for. */
export class Alarm {
  readonly #now: () => number
  readonly #wake: () => void
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Infinity

  constructor(now: () => number, wake: () => void) {
    this.#now = now
    this.#wake = wake
  }

  wakeAt(at: number): void {
    if (this.#timer !== undefined && this.#wakesAt <= at) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#wake()
      },
      Math.min(Math.max(at - this.#now(), 1), 2 ** 30),
    )
    this.#timer.unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
