import type { Logger } from 'pino'

/** Lines of one minute: many addresses may be banned at once, and a log must not grow with them. */
const perMinute = 20

const minuteMs = 60_000

/** Tells the log who is banned by this process, and for what. */
export class BanLog {
  readonly #log: Logger
  readonly #now: () => number
  #minute = -Infinity
  #lines = 0
  #unsaid = 0

  /** @param now milliseconds */
  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
  }

  /** @param reason of the last of what was refused */
  note(network: string, seconds: number, reason: string): void {
    if (this.#now() - this.#minute >= minuteMs) {
      this.#minute = this.#now()
      this.#lines = 0
    }
    if (this.#lines === perMinute) return void this.#unsaid++
    this.#lines++
    const others = this.#unsaid > 0 && { othersBefore: this.#unsaid }
    this.#unsaid = 0
    this.#log.warn({ network, seconds, reason, ...others }, 'an address is banned: it goes on sending what is refused')
  }
}
