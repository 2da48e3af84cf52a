import { KeyTable } from '../swarm/index.ts'
import { keyWords } from './address.ts'

/** Networks that are banned at once; for a further one the ban gives way that would end first. */
const most = 10_000

/** Words of a record: its key, until when. */
const width = keyWords + 1

/** Addresses, and /64 of IPv6, that are not listened to until some time. Times are seconds. */
export class Bans {
  readonly #table: KeyTable

  constructor(random: () => number) {
    this.#table = new KeyTable(most, keyWords, width, random)
  }

  get size(): number {
    return this.#table.size
  }

  /** @param network as `neighbourhood` fills it */
  has(network: Int32Array, now: number): boolean {
    if (this.#table.size === 0) return false
    const place = this.#table.find(network)
    if (place === -1) return false
    if (now < this.#untilOf(place)) return true
    this.#table.remove(place)
    return false
  }

  set(network: Int32Array, until: number, now: number): void {
    let place = this.#table.find(network)
    if (place === -1 && this.#table.size === most) this.#makeRoom(now)
    if (place === -1) place = this.#table.insert(network)
    this.#table.records[place * width + keyWords] = until
  }

  lift(network: Int32Array): void {
    const place = this.#table.find(network)
    if (place !== -1) this.#table.remove(place)
  }

  #makeRoom(now: number): void {
    const old: number[] = []
    let first = 0
    let end = Infinity
    this.#table.forEach((place) => {
      const until = this.#untilOf(place)
      if (until <= now) old.push(place)
      if (until >= end) return
      end = until
      first = place
    })
    if (old.length === 0) old.push(first)
    for (const place of old) this.#table.remove(place)
  }

  #untilOf(place: number): number {
    return this.#table.records[place * width + keyWords] as number
  }
}
