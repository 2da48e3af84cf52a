import type { Logger } from 'pino'
import type { TokenStore } from '../library/index.ts'

export interface TokenExpiryOptions {
  store: Pick<TokenStore, 'nextExpiry' | 'expired'>
  /** Ends what is under way with a token. */
  ended(id: string): Promise<void>
  now: () => number
  log: Pick<Logger, 'error'>
}

/** The clock may be set meanwhile. */
const mostMs = 3_600_000

/** Ends what was begun with tokens when these expire, also those that did while the node was off. */
export class TokenExpiry {
  readonly #options: TokenExpiryOptions
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()
  /** Those that expired until then are done with, in milliseconds since 1970. */
  #done = 0
  #closed = false

  constructor(options: TokenExpiryOptions) {
    this.#options = options
  }

  /** At the start, and when there is a new token. */
  look(): void {
    const { store, now } = this.#options
    clearTimeout(this.#timer)
    const next = this.#closed ? undefined : store.nextExpiry(this.#done)
    if (next === undefined) return
    const end = () => {
      this.#work = this.#end()
    }
    this.#timer = setTimeout(end, Math.min(Math.max(0, next - now()), mostMs))
    this.#timer.unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#work
  }

  async #end(): Promise<void> {
    const { store, ended, now, log } = this.#options
    const until = now()
    for (const id of store.expired(this.#done, until)) {
      try {
        await ended(id)
      } catch (error) {
        log.error({ err: error, token: id }, 'what an expired token began could not be ended')
      }
    }
    this.#done = until
    this.look()
  }
}
