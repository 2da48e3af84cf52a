import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'
import { Appointment } from './appointment.ts'

export interface ExpiryOptions {
  library: Pick<Library, 'about'>
  /** Takes an item down whose `expiresAt` has come. */
  expire(infoHash: string): Promise<void>
  now: () => number
  /** Whether the wall clock is not known to be wrong. What it did would be done for good. */
  knowsTime(): boolean
  log: Logger
}

/** Longest wait: copies learn from manifests when they expire, and nobody says so here. */
const lookEveryMs = 30_000
const atOnce = 100
/** Until the clock is known. */
const askAgainMs = 15_000

/** Has items taken down when their `expiresAt` has come, with one timer on the next. */
export class Expiry {
  readonly #options: ExpiryOptions
  readonly #appointment: Appointment
  #expired = 0

  constructor(options: ExpiryOptions) {
    this.#options = options
    this.#appointment = new Appointment(() => this.#expireDue())
  }

  get expired(): number {
    return this.#expired
  }

  /** Takes down what is due and plans the next look. */
  look(): void {
    this.#appointment.look()
  }

  close(): Promise<void> {
    return this.#appointment.close()
  }

  async #expireDue(): Promise<number | undefined> {
    const { library, expire, now, knowsTime, log } = this.#options
    if (!knowsTime()) return askAgainMs
    const until = now()
    let wait = lookEveryMs
    try {
      let position = { expiresAt: -1, infoHash: '' }
      for (;;) {
        const page = library.about.expired(until, position, atOnce)
        for (const { infoHash } of page) {
          if (this.#appointment.closed) return undefined
          try {
            await expire(infoHash)
            this.#expired++
          } catch (error) {
            log.error({ err: error, infoHash }, 'an expired item could not be taken down; tried again in 30 s')
          }
        }
        position = page.at(-1) ?? position
        if (page.length < atOnce) break
      }
      const next = library.about.nextExpiry(until)
      if (next !== undefined) wait = Math.min(wait, Math.max(0, next - now()))
    } catch (error) {
      log.error({ err: error }, 'the catalog could not be asked for expired items; tried again in 30 s')
    }
    return wait
  }
}
