import { KeyTable } from '../swarm/index.ts'
import { keyWords } from './address.ts'

/** Networks that are banned at once; further bans are not kept here. */
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
    if (place === -1 && this.#table.size === most) this.#forgetOld(now)
    if (place === -1) place = this.#table.insert(network)
    if (place !== -1) this.#table.records[place * width + keyWords] = until
  }

  lift(network: Int32Array): void {
    const place = this.#table.find(network)
    if (place !== -1) this.#table.remove(place)
  }

  #forgetOld(now: number): void {
    const old: number[] = []
    this.#table.forEach((place) => {
      if (this.#untilOf(place) <= now) old.push(place)
    })
    for (const place of old) this.#table.remove(place)
  }

  #untilOf(place: number): number {
    return this.#table.records[place * width + keyWords] as number
  }
}
