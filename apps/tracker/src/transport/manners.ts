import { KeyTable } from '../swarm/index.ts'
import type { Ban, BanSource } from '../ledger/index.ts'
import { type Family, keyWords, neighbourhood, networkText, parseAddress, readNetwork } from './address.ts'
import { Bans } from './bans.ts'

interface MannersOptions {
  /** May change while it runs. */
  limits: {
    /** Requests a second of one address or /64; 0 is no limit. */
    requestsPerAddress: number
    /** How long one who goes on sending what must be refused is not listened to. */
    banSeconds: number
  }
  /** Whether an address is one of this network's own. */
  isMember: (kind: Family, address: Int32Array) => boolean
  /** Told once of each ban that is made here, and why the last message was refused. */
  onBan?: (network: string, seconds: number, reason: string) => void
  /** Milliseconds. */
  now: () => number
  /** Milliseconds since 1970. */
  clock: () => number
  random: () => number
}

/** Seconds of its rate that one may use at once. */
const burst = 10

/** New torrents are so small a part of requests, and may come in the time of so many seconds at once. */
const openingsPart = 20
const openingsBurst = 100

/** Refusals that make a ban, if no minute lies between two of them. */
const tolerated = 200
const calmMs = 60_000

/** Bans that wait to be told to others; further ones hold here only. */
const maxUntold = 1000

/** What fits a word. */
const longest = 0x7fff_ffff

/** Addresses that are remembered at once; beyond it those that were not heard of lately are forgotten. */
const remembered = 65_536

/**
 * Words of a record: its key, hundredths of requests left, when they were counted, refusals, the last refusal, hundredths
 * of openings left, when they were counted.
 */
const width = 9

/**
 * How much each address, or each /64 of IPv6, may ask for. Only those who proved to own their address may be counted
 * here, or anybody could use up what belongs to somebody else. Members are not limited.
 */
export class Manners implements BanSource {
  readonly #options: MannersOptions
  readonly #key = new Int32Array(keyWords)
  readonly #bans: Bans
  readonly #began: number
  #current: KeyTable
  #before: KeyTable
  #untold: Ban[] = []

  constructor(options: MannersOptions) {
    this.#options = options
    this.#began = options.now()
    this.#bans = new Bans(options.random)
    this.#current = this.#table()
    this.#before = this.#table()
  }

  /** Counts one request. False when there are too many, or the address is banned. */
  permits(kind: Family, address: Int32Array): boolean {
    const { limits, isMember } = this.#options
    if (isMember(kind, address)) return true
    const { records, place } = this.#record(kind, address)
    if (this.#bans.has(this.#key, this.#seconds())) return false
    const perSecond = limits.requestsPerAddress
    return perSecond === 0 || this.#spend(records, place + 3, perSecond, perSecond * burst)
  }

  /**
   * Counts one torrent that nobody else had announced. False when those are too many: such a torrent takes memory until long
   * after its request.
   */
  mayOpen(kind: Family, address: Int32Array): boolean {
    const { limits, isMember } = this.#options
    if (limits.requestsPerAddress === 0 || isMember(kind, address)) return true
    const { records, place } = this.#record(kind, address)
    const perSecond = this.#openings()
    return this.#spend(records, place + 7, perSecond, perSecond * openingsBurst)
  }

  isBanned(kind: Family, address: Int32Array): boolean {
    if (this.#options.isMember(kind, address)) return false
    neighbourhood(kind, address, this.#key)
    return this.#bans.has(this.#key, this.#seconds())
  }

  /** Counts one message that had to be refused. @returns whether that was one too many */
  refused(kind: Family, address: Int32Array, reason = 'malformed'): boolean {
    if (this.#options.isMember(kind, address)) return false
    const { records, place } = this.#record(kind, address)
    const now = this.#now()
    if (passed(records[place + 6] as number, now) > calmMs) records[place + 5] = 0
    records[place + 5] = (records[place + 5] as number) + 1
    records[place + 6] = now
    if ((records[place + 5] as number) < tolerated) return false
    records[place + 5] = 0
    const { banSeconds } = this.#options.limits
    this.#bans.set(this.#key, this.#seconds() + banSeconds, this.#seconds())
    const until = Math.round(this.#options.clock()) + banSeconds * 1000
    const network = networkText(this.#key)
    if (this.#untold.length < maxUntold) this.#untold.push({ network, until })
    this.#options.onBan?.(network, banSeconds, reason)
    return true
  }

  /** How many addresses and /64 are banned. */
  get bans(): number {
    return this.#bans.size
  }

  /** Bans a network until some time, or lifts its ban, on the word of an operator or another tracker. */
  ban({ network, until }: Ban): void {
    if (!readNetwork(network, this.#key)) return
    const seconds = Math.ceil((until - this.#options.clock()) / 1000)
    const now = this.#seconds()
    if (seconds > 0) this.#bans.set(this.#key, Math.min(now + seconds, longest), now)
    else this.#bans.lift(this.#key)
  }

  /** What is banned with an address (with `/64` or without); undefined when it is no address, or a member's. */
  networkOf(text: string): string | undefined {
    const address = new Int32Array(4)
    const kind = parseAddress(text.replace(/\/64$/, ''), address)
    if (kind === undefined || this.#options.isMember(kind, address) || !readNetwork(text, this.#key)) return undefined
    return networkText(this.#key)
  }

  /** Bans that were made here since it was asked last. */
  takeBans(most: number): Ban[] {
    return this.#untold.splice(0, most)
  }

  /** @param at hundredths that are left, then when they were counted */
  #spend(records: Int32Array, at: number, perSecond: number, most: number): boolean {
    const now = this.#now()
    const gained = (passed(records[at + 1] as number, now) * perSecond) / 1000
    const left = Math.min(most, (records[at] as number) / 100 + gained) - 1
    if (left < 0) return false
    records[at] = Math.min(left * 100, longest)
    records[at + 1] = now
    return true
  }

  /** Torrents that one address may open each second. */
  #openings(): number {
    return Math.max(1, this.#options.limits.requestsPerAddress / openingsPart)
  }

  /** Milliseconds as a word, which comes round every 50 days. */
  #now(): number {
    return (this.#options.now() - this.#began) | 0
  }

  #seconds(): number {
    return Math.floor((this.#options.now() - this.#began) / 1000)
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
      records[place + 3] = Math.min(this.#options.limits.requestsPerAddress * burst * 100, longest)
      records[place + 4] = this.#now()
      records[place + 7] = Math.min(this.#openings() * openingsBurst * 100, longest)
      records[place + 8] = records[place + 4] as number
    }
    return { records, place }
  }

  #table(): KeyTable {
    return new KeyTable(remembered / 2, keyWords, width, this.#options.random)
  }
}

/** Milliseconds between two words of `#now`; what looks like the future is weeks ago. */
const passed = (then: number, now: number): number => {
  const difference = (now - then) | 0
  return difference < 0 ? longest : difference
}
