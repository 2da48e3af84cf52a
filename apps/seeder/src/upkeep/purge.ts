import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'
import { Appointment } from './appointment.ts'

export interface PurgeOptions {
  library: Pick<Library, 'purgeable' | 'purge' | 'nextPurge'>
  now: () => number
  /** Whether the wall clock is not known to be wrong. What it did would be done for good. */
  knowsTime(): boolean
  log: Logger
}

const retryMs = 60_000
/** Until the clock is known. */
const askAgainMs = 15_000

/** Removes the bytes of retracted items once their `purgeAfter` has come, with one timer on the next that is due. */
export class Purge {
  readonly #options: PurgeOptions
  readonly #appointment: Appointment
  #purged = 0

  constructor(options: PurgeOptions) {
    this.#options = options
    this.#appointment = new Appointment(() => this.#removeDue())
  }

  get purged(): number {
    return this.#purged
  }

  /** Removes what is due and plans the next look. */
  look(): void {
    this.#appointment.look()
  }

  close(): Promise<void> {
    return this.#appointment.close()
  }

  async #removeDue(): Promise<number | undefined> {
    const { library, now, knowsTime, log } = this.#options
    try {
      if (this.#nextDue() === 0 && !knowsTime()) return askAgainMs
      for (const { infoHash } of library.purgeable(now())) {
        if (this.#appointment.closed) return undefined
        // A retraction may have been undone while others were removed.
        if (!(await library.purge(infoHash, now()))) continue
        this.#purged++
        log.info({ infoHash }, 'purged a retracted item')
      }
      return this.#nextDue()
    } catch (error) {
      log.error({ err: error }, 'retracted items could not be purged; tried again in a minute')
      return retryMs
    }
  }

  #nextDue(): number | undefined {
    const next = this.#options.library.nextPurge()
    return next === undefined ? undefined : Math.max(0, next - this.#options.now())
  }
}
