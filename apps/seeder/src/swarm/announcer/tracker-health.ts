import { TrackerFailedError } from './errors.ts'
import type { ScheduleOptions } from './schedule-options.ts'

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
  readonly #options: Pick<ScheduleOptions, 'now' | 'random' | 'stands'>
  #state: 'unproven' | 'up' | 'down' = 'unproven'
  #failures = 0
  #pause = firstPause
  #pausedUntil = -Infinity

  constructor(options: Pick<ScheduleOptions, 'now' | 'random' | 'stands'>) {
    this.#options = options
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

  get paused(): boolean {
    return this.#pausedUntil > this.#options.now()
  }

  /** The tracker answered. */
  succeeded(): void {
    const { down } = this
    this.#state = 'up'
    this.#failures = 0
    if (down) this.#options.stands?.(true)
  }

  /**
   * An announce failed: one alone says little. `interval` is the tracker's: pauses stay well below it, so that one
   * interval after the tracker came back all was announced, but for what it asks for itself.
   */
  failed(interval: number, error: unknown): void {
    if (this.paused) return
    const retryAfter = error instanceof TrackerFailedError ? error.retryAfter : undefined
    if (++this.#failures < patience && this.#state === 'up' && retryAfter === undefined) return
    this.lost(interval, error, retryAfter)
  }

  /** The connection is gone, which says all. */
  lost(interval: number, error: unknown, retryAfter = 0): void {
    const { down } = this
    const { now, random, stands } = this.#options
    if (!this.paused) {
      this.#state = 'down'
      this.#failures = 0
      if (now() - this.#pausedUntil > steady) this.#pause = firstPause
      // Many nodes do not come back at once.
      const pause = Math.min(this.#pause, interval / 8) * (0.5 + random())
      this.#pausedUntil = now() + Math.max(pause, Math.min(retryAfter, interval))
      this.#pause = Math.min(this.#pause * 2, longestPause)
    }
    if (!down) stands?.(false, error)
  }
}
