import { kinds } from '../swarm/index.ts'
import type { Family } from './address.ts'

/** How many connections each address has, each /64 of IPv6. */
export class PerAddress {
  readonly #limits: { socketsPerAddress: number }
  readonly #counts = new Map<string, number>()

  /** @param limits may change while it runs */
  constructor(limits: { socketsPerAddress: number }) {
    this.#limits = limits
  }

  /** False when it has as many as it may. */
  enter(kind: Family, high: number, low: number): boolean {
    const place = placeOf(kind, high, low)
    const count = this.#counts.get(place) ?? 0
    if (count >= this.#limits.socketsPerAddress) return false
    this.#counts.set(place, count + 1)
    return true
  }

  leave(kind: Family, high: number, low: number): void {
    const place = placeOf(kind, high, low)
    const count = (this.#counts.get(place) ?? 1) - 1
    if (count === 0) this.#counts.delete(place)
    else this.#counts.set(place, count)
  }
}

const placeOf = (kind: Family, high: number, low: number): string =>
  kind === kinds.ipv4 ? `${high}` : `${high} ${low}`
