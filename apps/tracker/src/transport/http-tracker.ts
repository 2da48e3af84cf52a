import { InvalidInputError } from '@eldernode/core'
import type { BlockList } from 'node:net'
import { type Entrance, type Gate, wrongKey } from '../access/index.ts'
import { Announce, Answer, type Counts as SwarmCounts, type Swarms } from '../swarm/index.ts'
import {
  announceText,
  failureText,
  type Intervals,
  parseHttpAnnounce,
  parseHttpScrape,
  readPath,
  scrapeText,
  TrackerPath,
} from '../wire/index.ts'
import { type Family, parseAddress } from './address.ts'
import { clientAddress, isProxy } from './client-address.ts'
import type { Counts } from './counts.ts'
import type { Manners } from './manners.ts'
import { ofProxies, placeOf } from './places.ts'
import type { Asked, Shards } from './shards.ts'

/** Who asked over HTTP and waits. One answer is due, at once or later; who has hung up meanwhile does not hear it. */
export interface Asker {
  /** The address of the other end. */
  readonly remote: string
  /** The same as words, or undefined when it is gone. */
  caller(into: Int32Array): Family | undefined
  /**
   * @param text each byte as one character
   * @param isLast hangs up after it
   */
  reply(status: number, text: string, isLast?: boolean): void
}

export interface HttpTrackerOptions {
  swarms: Swarms
  gate: Gate
  entrance: Entrance
  counts: Counts
  manners: Manners
  /** Absent where this process keeps all torrents. */
  shards?: Shards | undefined
  trusted: BlockList
  /** Told of an address that says for whom it asks, and is not trusted to. */
  onProxy?: (kind: Family, address: Int32Array) => void
  intervals: Intervals
  trackerId: string
}

const tooMany = 'too many requests from this address'
const banned = 'this address is banned for some time: it went on sending what had to be refused'

/** Announces and scrapes of HTTP (BEP 3 and BEP 48), whoever read the request and writes the answer. */
export class HttpTracker {
  readonly #options: HttpTrackerOptions
  readonly #path = new TrackerPath()
  readonly #word = new Announce()
  readonly #answer = new Answer()
  readonly #countsOf: (infoHash: Int32Array, counts: SwarmCounts) => void

  constructor(options: HttpTrackerOptions) {
    this.#options = options
    this.#countsOf = (infoHash, counts) => options.entrance.counts(infoHash, this.#word.key, counts)
  }

  /** @returns whether this path is the tracker's: then an answer is due */
  ask(asker: Asker, path: string, search: string, forwardedFor: string): boolean {
    if (path === '/' || !readPath(path, this.#path)) return false
    const { counts, manners, gate } = this.#options
    const word = this.#word
    let kind: Family | undefined
    try {
      kind = this.callerOf(asker, forwardedFor, word.address)
      word.kind = kind
      if (!manners.permits(kind, word.address)) {
        counts.refused('http', 'limit')
        asker.reply(429, failureText(manners.isBanned(kind, word.address) ? banned : tooMany), true)
        return true
      }
      const { action, passkey } = this.#path
      word.key = gate.keyOf(passkey)
      if (word.key === wrongKey) throw new InvalidInputError(gate.refusalOfKey(word.key))
      if (action === 'scrape') this.#scrape(asker, search)
      else this.#announce(asker, search, kind)
      counts.answered('http', action)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('http')
      if (kind !== undefined) manners.refused(kind, word.address, error.message)
      // Trackers fail with status 200: clients read the reason from the body.
      asker.reply(200, failureText(error.message))
    }
    return true
  }

  /** Counts a request for anything else than the tracker. @returns why its address gets no answer; empty when it does */
  refusalOf(asker: Asker, forwardedFor: string): string {
    const { counts, manners } = this.#options
    const { address } = this.#word
    try {
      const kind = this.callerOf(asker, forwardedFor, address)
      if (manners.permits(kind, address)) return ''
      counts.refused('http', 'limit')
      return manners.isBanned(kind, address) ? banned : tooMany
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('http')
      return error.message
    }
  }

  /** The address of a client, through the proxies that are trusted. Throws `InvalidInputError` when there is none. */
  callerOf(asker: Asker, forwardedFor: string, into: Int32Array): Family {
    const kind =
      forwardedFor === ''
        ? asker.caller(into)
        : parseAddress(clientAddress(asker.remote, forwardedFor, this.#options.trusted), into)
    // A connection that is gone has no address any more.
    if (kind === undefined) throw new InvalidInputError('the caller has no address')
    if (forwardedFor !== '' && !isProxy(asker.remote, this.#options.trusted)) this.#options.onProxy?.(kind, into)
    return kind
  }

  /** What a connection is counted by before it says anything; undefined when it is gone. */
  placeOf(asker: Asker): string | undefined {
    const { address } = this.#word
    const kind = asker.caller(address)
    if (kind === undefined) return undefined
    if (isProxy(asker.remote, this.#options.trusted)) return ofProxies
    return placeOf(kind, address[0] as number, address[1] as number)
  }

  /** An announce that another worker got, and found to be one. */
  take({ search, kind, address, key }: Asked): string {
    const word = this.#word
    word.kind = kind
    word.address.set(address)
    word.key = key
    parseHttpAnnounce(search, word)
    return this.#announced()
  }

  #announce(asker: Asker, search: string, kind: Family): void {
    const { shards } = this.#options
    const word = this.#word
    parseHttpAnnounce(search, word)
    if (shards !== undefined) {
      const shard = shards.of(word.infoHash[0] as number)
      const { address, key } = word
      if (shard !== shards.own)
        return shards.ask(shard, { search, kind, address, key }, (text) => asker.reply(200, text))
    }
    asker.reply(200, this.#announced())
  }

  #scrape(asker: Asker, search: string): void {
    const { shards } = this.#options
    const infoHashes = parseHttpScrape(search)
    if (shards === undefined) return asker.reply(200, scrapeText(infoHashes, this.#countsOf))
    shards.counts(infoHashes, this.#word.key, (countsOf) => asker.reply(200, scrapeText(infoHashes, countsOf)))
  }

  #announced(): string {
    const { swarms, entrance, intervals, trackerId } = this.#options
    const word = this.#word
    entrance.announce(word, this.#answer)
    if (this.#answer.refusal !== '') return failureText(this.#answer.refusal)
    return announceText(word, this.#answer, swarms, intervals, trackerId)
  }
}
