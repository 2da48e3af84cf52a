import type { Logger } from 'pino'
import { type Family, keyWords, neighbourhood, networkText } from './address.ts'
import { Ranges } from './ranges.ts'

/** Addresses that strangers have only behind somebody of this place. */
const near = new Ranges([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
])

/** Proxies that are remembered at once. Who is forgotten is known again by the next request. */
const most = 1000

/**
 * Addresses of the network's own nodes. One that says `X-Forwarded-For` without being trusted stands for others: strangers
 * would be members by its address, and so it is none.
 */
export class Members {
  readonly #log: Pick<Logger, 'warn'>
  readonly #proxies = new Set<string>()
  readonly #key = new Int32Array(keyWords)
  #ranges: Ranges
  #hasWarned = false

  constructor(ranges: readonly string[], log: Pick<Logger, 'warn'>) {
    this.#ranges = new Ranges(ranges)
    this.#log = log
  }

  set ranges(ranges: readonly string[]) {
    this.#ranges = new Ranges(ranges)
  }

  has(kind: Family, address: Int32Array): boolean {
    if (!this.#ranges.has(kind, address)) return false
    return this.#proxies.size === 0 || !this.#proxies.has(this.#networkOf(kind, address))
  }

  /** Somebody who is not trusted to says for whom it asks. */
  speaksForOthers(kind: Family, address: Int32Array): void {
    // Strangers may say what they like.
    if (!near.has(kind, address) && !this.#ranges.has(kind, address)) return
    const network = this.#networkOf(kind, address)
    if (this.#proxies.has(network)) return
    const [oldest] = this.#proxies
    if (oldest !== undefined && this.#proxies.size === most) this.#proxies.delete(oldest)
    this.#proxies.add(network)
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#log.warn(
      { address: network },
      'a proxy that trustProxy does not name: everybody behind it is one address, which is slowed, and banned, as one',
    )
  }

  /** IPv6 by the /64, as it is limited. */
  #networkOf(kind: Family, address: Int32Array): string {
    neighbourhood(kind, address, this.#key)
    return networkText(this.#key)
  }
}
