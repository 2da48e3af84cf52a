import { KeyTable } from '../swarm/index.ts'
import { type Family, neighbourhood } from './address.ts'

interface MannersOptions {
  /** Requests a second of one address or /64; 0 is no limit. */
  perSecond: number
  /** Whether an address is one of this network's own. */
  isMember: (kind: Family, address: Int32Array) => boolean
  /** Milliseconds. */
  now: () => number
  random: () => number
}

/** Seconds of its rate that one may use at once. */
const burst = 10

/** Refusals that make a ban, if no minute lies between two of them. */
const tolerated = 200
const calmMs = 60_000

/** How long one who goes on sending what must be refused is not listened to. */
const banMs = 600_000

/** Addresses that are remembered at once; beyond it those that were not heard of lately are forgotten. */
const remembered = 65_536

/** Words of a record: its key, hundredths of requests left, when they were counted, refusals, until when it is banned, the last refusal. */
const keyWidth = 3
const width = 8

/**
 * How much each address, or each /64 of IPv6, may ask for. Only those who proved to own their address may be counted
 * here, or anybody could use up what belongs to somebody else. Members are not limited.
 */
export class Manners {
  readonly #options: MannersOptions
  readonly #key = new Int32Array(keyWidth)
  readonly #began: number
  #current: KeyTable
  #before: KeyTable

  constructor(options: MannersOptions) {
    this.#options = options
    this.#began = options.now()
    this.#current = this.#table()
    this.#before = this.#table()
  }

  /** Counts one request. False when there are too many, or the address is banned. */
  permits(kind: Family, address: Int32Array): boolean {
    const { perSecond, isMember } = this.#options
    if (isMember(kind, address)) return true
    const { records, place } = this.#record(kind, address)
    const now = this.#now()
    if (now < (records[place + 6] as number)) return false
    if (perSecond === 0) return true
    const most = perSecond * burst
    const gained = ((now - (records[place + 4] as number)) * perSecond) / 1000
    const left = Math.min(most, (records[place + 3] as number) / 100 + gained) - 1
    if (left < 0) return false
    records[place + 3] = Math.min(left * 100, 0x7fff_ffff)
    records[place + 4] = now
    return true
  }

  isBanned(kind: Family, address: Int32Array): boolean {
    if (this.#options.isMember(kind, address)) return false
    const { records, place } = this.#record(kind, address)
    return this.#now() < (records[place + 6] as number)
  }

  /** Counts one message that had to be refused. @returns whether that was one too many */
  refused(kind: Family, address: Int32Array): boolean {
    if (this.#options.isMember(kind, address)) return false
    const { records, place } = this.#record(kind, address)
    const now = this.#now()
    if (now - (records[place + 7] as number) > calmMs) records[place + 5] = 0
    records[place + 5] = (records[place + 5] as number) + 1
    records[place + 7] = now
    if ((records[place + 5] as number) < tolerated) return false
    records[place + 5] = 0
    records[place + 6] = now + banMs
    return true
  }

  /** Milliseconds that fit a word. */
  #now(): number {
    return Math.floor(this.#options.now() - this.#began) + 1
  }

  #record(kind: Family, address: Int32Array): { records: Int32Array; place: number } {
    const key = this.#key
    neighbourhood(kind, address, key)
    const known = this.#current.find(key)
    if (known !== -1) return { records: this.#current.records, place: known * width }
    if (this.#current.size === remembered / 2) {
      this.#before = this.#current
      this.#current = this.#table()
    }
    const { records } = this.#current
    const place = this.#current.insert(key) * width
    const old = this.#before.find(key)
    if (old !== -1) records.set(this.#before.records.subarray(old * width, (old + 1) * width), place)
    else {
      records[place + 3] = Math.min(this.#options.perSecond * burst * 100, 0x7fff_ffff)
      records[place + 4] = this.#now()
    }
    return { records, place }
  }

  #table(): KeyTable {
    return new KeyTable(remembered / 2, keyWidth, width, this.#options.random)
  }
}
