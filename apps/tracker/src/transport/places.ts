import { kinds } from '../swarm/index.ts'
import type { Family } from './address.ts'

/** TCP connections: all of them, and those of each address, of IPv6 of each /64. */
export class Places {
  readonly #limits: { readonly sockets: number; readonly socketsPerAddress: number }
  readonly #counts = new Map<string, number>()
  #taken = 0

  /** @param limits may change while it runs; nobody is cut off by that */
  constructor(limits: { readonly sockets: number; readonly socketsPerAddress: number }) {
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.#taken >= this.#limits.sockets
  }

  /** Whether there are more than may be. */
  get isCrowded(): boolean {
    return this.#taken > this.#limits.sockets
  }

  /** False when this address has as many as it may. */
  enter(place: string): boolean {
    const count = this.#counts.get(place) ?? 0
    if (place !== ofProxies && count >= this.#limits.socketsPerAddress) return false
    this.#counts.set(place, count + 1)
    this.#taken++
    return true
  }

  leave(place: string): void {
    const count = (this.#counts.get(place) ?? 1) - 1
    if (count === 0) this.#counts.delete(place)
    else this.#counts.set(place, count)
    this.#taken--
  }
}

/** The place of all connections of reverse proxies, before they say for whom: there may be any number. */
export const ofProxies = ''

export const placeOf = (kind: Family, high: number, low: number): string =>
  kind === kinds.ipv4 ? `${high}` : `${high} ${low}`
