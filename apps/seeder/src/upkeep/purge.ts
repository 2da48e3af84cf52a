import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'

export interface PurgeOptions {
  library: Pick<Library, 'purgeable' | 'purge' | 'nextPurge'>
  now: () => number
  log: Logger
}

/** The longest wait that setTimeout takes; what is due later is looked at again then. */
const longestWaitMs = 2 ** 31 - 1
const retryMs = 60_000

/** Removes the bytes of retracted items once their `purgeAfter` has come, with one timer on the next that is due. */
export class Purge {
  readonly #options: PurgeOptions
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined
  #again = false
  #closed = false
  #purged = 0

  constructor(options: PurgeOptions) {
    this.#options = options
  }

  get purged(): number {
    return this.#purged
  }

  /** Removes what is due and plans the next look. */
  look(): void {
    if (this.#closed) return
    if (this.#work) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    this.#again = false
    this.#work = this.#removeDue().finally(() => {
      this.#work = undefined
      if (this.#again) this.look()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#work
  }

  async #removeDue(): Promise<void> {
    const { library, now, log } = this.#options
    try {
      for (const { infoHash } of library.purgeable(now())) {
        if (this.#closed) return
        // A retraction may have been undone while others were removed.
        if (!(await library.purge(infoHash, now()))) continue
        this.#purged++
        log.info({ infoHash }, 'purged a retracted item')
      }
      this.#plan(this.#nextDue())
    } catch (error) {
      log.error({ err: error }, 'retracted items could not be purged; tried again in a minute')
      this.#plan(retryMs)
    }
  }

  #nextDue(): number | undefined {
    const next = this.#options.library.nextPurge()
    return next === undefined ? undefined : Math.max(0, next - this.#options.now())
  }

  #plan(wait: number | undefined): void {
    if (this.#closed || wait === undefined) return
    this.#timer = setTimeout(() => this.look(), Math.min(wait, longestWaitMs))
  }
}
