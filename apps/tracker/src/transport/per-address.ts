import { kinds } from '../swarm/index.ts'
import type { Family } from './address.ts'

/** How many connections each address has, each /64 of IPv6. */
export class PerAddress {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** False when it has as many as it may. */
  enter(kind: Family, high: number, low: number): boolean {
    const place = placeOf(kind, high, low)
    const count = this.#counts.get(place) ?? 0
    if (count >= this.#most) return false
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
