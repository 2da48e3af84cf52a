const [firstPause, longestPause] = [1_000, 5 * 60_000]

/** Announces that fail in a row, none between them answered, until the tracker counts as down. */
const patience = 3

/** Milliseconds without a pause after which the next one is short again. */
const steady = 60_000

/**
 * Whether a tracker may be asked. One that failed is left alone for a while that doubles, then tried with one announce
 * at a time until one is answered. So is one that never answered yet.
 */
export class TrackerHealth {
  readonly #random: () => number
  #state: 'unproven' | 'up' | 'down' = 'unproven'
  #failures = 0
  #pause = firstPause
  #pausedUntil = -Infinity

  /** `random` gives 0 to 1, so that many nodes do not come back at once. */
  constructor(random: () => number) {
    this.#random = random
  }

  /** One announce at a time. */
  get probing(): boolean {
    return this.#state !== 'up'
  }

  get down(): boolean {
    return this.#state === 'down'
  }

  get pausedUntil(): number {
    return this.#pausedUntil
  }

  /** The tracker answered. */
  succeeded(): void {
    this.#state = 'up'
    this.#failures = 0
  }

  /**
   * An announce failed. Returns whether a pause began. `interval` is the tracker's: pauses stay well below it, so that
   * one interval after the tracker came back all was announced. `retryAfter` is what it asks for itself.
   */
  failed(now: number, interval: number, retryAfter?: number): boolean {
    if (this.#pausedUntil > now) return false
    if (++this.#failures < patience && this.#state === 'up' && retryAfter === undefined) return false
    this.pause(now, interval, retryAfter)
    return true
  }

  pause(now: number, interval: number, retryAfter = 0): void {
    if (this.#pausedUntil > now) return
    this.#state = 'down'
    this.#failures = 0
    if (now - this.#pausedUntil > steady) this.#pause = firstPause
    const pause = Math.min(this.#pause, interval / 8) * (0.5 + this.#random())
    this.#pausedUntil = now + Math.max(pause, Math.min(retryAfter, interval))
    this.#pause = Math.min(this.#pause * 2, longestPause)
  }
}
