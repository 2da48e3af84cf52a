/** Aborts what makes no progress: its signal fires when `moved` was not called for `after` milliseconds. */
export class Stall {
  readonly #abort = new AbortController()
  readonly #after: number
  readonly #reason: Error
  #timer: NodeJS.Timeout
  #last = -1

  constructor(after: number, reason: Error) {
    this.#after = after
    this.#reason = reason
    this.#timer = this.#arm()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Only a count that grew is progress. */
  moved(received: number): void {
    if (received <= this.#last) return
    this.#last = received
    clearTimeout(this.#timer)
    if (!this.#abort.signal.aborted) this.#timer = this.#arm()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(() => this.#abort.abort(this.#reason), this.#after)
  }
}
