/** A token bucket: `perSecond` tokens flow in, at most `burst` are kept. */
export class Rate {
  readonly #perMs: number
  readonly #burst: number
  readonly #now: () => number
  #tokens: number
  #at: number

  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#now = now
    this.#tokens = burst
    this.#at = now()
  }

  /** Takes `tokens` when they are there. A clock that jumps back gives none. */
  take(tokens = 1): boolean {
    const now = this.#now()
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#tokens < tokens) return false
    this.#tokens -= tokens
    return true
  }
}
