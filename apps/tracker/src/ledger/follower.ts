import { EldernodeError } from '@eldernode/core'
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import {
  type Ban,
  type BanSource,
  type Ledger,
  type LedgerSink,
  perBatch,
  type Position,
  type TotalsBatch,
  type TotalsSource,
} from './port.ts'

export interface LedgerFollowerOptions {
  ledger: Ledger
  /** Each hears everything, and takes what is its own. */
  sinks: readonly LedgerSink[]
  totals: readonly TotalsSource[]
  bans: readonly BanSource[]
  log: Logger
  /** Milliseconds, never going backwards. */
  now: () => number
  /** Milliseconds since 1970. */
  clock: () => number
}

/** How often the ledger is asked for changes. */
const askMs = 1000

/** How often totals are taken there; bans are with each turn. */
const tellMs = 5000

/** Who heard nothing for so long may have missed what is forgotten by now, and hears everything anew. */
const longestSilenceMs = 7 * 86_400_000

/** What is left to tell when the tracker stops gets so long. */
const goodbyeMs = 1000

/**
 * Keeps this process in step with its ledger: asks it for changes once a second, takes totals and bans there. While the
 * ledger is away the last word holds, and totals gather where they are made.
 */
export class LedgerFollower {
  readonly #options: LedgerFollowerOptions
  readonly #source = randomBytes(12).toString('base64url')
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> | undefined
  #stopped = false
  #position: Position | undefined
  #isBetween = false
  #isReady = false
  #isAway = false
  /** Why it was away last, for the log. */
  #reason: object = {}
  /** A write has failed since one succeeded: on a full disk a ledger can be read all the same. */
  #owes = false
  #failures = 0
  #heardAt: number
  /** When the ledger did last all that it was asked. */
  #wellAt: number
  #hasBegun = false
  #toldAt: number
  /** What may have been taken to the ledger, or not: told again under its number until it is certain. */
  #unsure: TotalsBatch | undefined
  #batches = 0
  /** Bans that the ledger may not have; where they are made no more wait than there is room for. */
  #untold: Ban[] = []

  constructor(options: LedgerFollowerOptions) {
    this.#options = options
    this.#heardAt = options.now()
    this.#wellAt = options.now()
    this.#toldAt = options.now()
  }

  /** Whether everything has been heard once. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Turns that failed because the ledger was away. */
  get failures(): number {
    return this.#failures
  }

  /** Seconds since the ledger last did all that it was asked: told what is new, and taken what is to be kept. */
  get silence(): number {
    return (this.#options.now() - this.#wellAt) / 1000
  }

  /** Resolves after the first turn, whether the ledger answered or not. */
  async start(): Promise<void> {
    await this.turn()
    this.#appoint()
  }

  /** Tells what is left; resolves within some seconds though the ledger be away. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    if (!this.#hasBegun) return
    let limit: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, goodbyeMs)
    })
    this.#toldAt = -Infinity
    await Promise.race([late, this.catchUp()])
    clearTimeout(limit)
    const { log, totals } = this.#options
    const isLeft = this.#unsure !== undefined || totals.some((source) => source.takeTotals(1).length > 0)
    if (isLeft) log.error(this.#reason, 'the ledger is away: what peers gave and took lately is lost')
  }

  /** Hears and tells once. Never rejects: a ledger that is away is noted, and asked again later. */
  turn(): Promise<void> {
    this.#hasBegun = true
    this.#turn ??= this.#exchange().finally(() => {
      this.#turn = undefined
    })
    return this.#turn
  }

  /** Resolves when what the ledger knew at the call has been heard, or it is away. */
  async catchUp(): Promise<void> {
    // The turn that is under way may have asked before.
    await this.#turn
    await this.turn()
  }

  #appoint(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.turn().then(() => this.#appoint()), askMs)
  }

  async #exchange(): Promise<void> {
    const { now, log } = this.#options
    try {
      await this.#hear()
      this.#heardAt = now()
      await this.#tell()
      if (this.#owes) return
      this.#wellAt = now()
      if (this.#isAway) log.info('the ledger is back')
      this.#isAway = false
    } catch (error) {
      this.#failures++
      this.#reason = about(error)
      if (!this.#isAway) log.warn(this.#reason, 'the ledger is away: what it said last holds until it is back')
      this.#isAway = true
    }
  }

  async #hear(): Promise<void> {
    const { ledger, sinks, now } = this.#options
    if (now() - this.#heardAt > longestSilenceMs) this.#position = undefined
    for (;;) {
      const { changes, position, isFresh, hasMore } = await ledger.changesSince(this.#position)
      if (isFresh) {
        this.#isBetween = true
        for (const sink of sinks) sink.begin()
      }
      for (const sink of sinks) sink.apply(changes)
      this.#position = position
      if (hasMore) continue
      if (this.#isBetween) for (const sink of sinks) sink.complete()
      this.#isBetween = false
      this.#isReady = true
      return
    }
  }

  async #tell(): Promise<void> {
    const { now } = this.#options
    const owed = this.#owes
    const isDue = now() - this.#toldAt >= tellMs
    this.#owes = true
    await this.#tellBans()
    if (isDue) {
      this.#toldAt = now()
      await this.#tellTotals()
    }
    this.#owes = owed && !isDue
  }

  async #tellBans(): Promise<void> {
    const { ledger, bans, clock } = this.#options
    // One that is over would lift what others made of it since.
    this.#untold = this.#untold.filter(({ until }) => until > clock())
    for (const source of bans) this.#untold.push(...source.takeBans(perBatch - this.#untold.length))
    if (this.#untold.length > 0) await ledger.ban(this.#untold)
    this.#untold = []
  }

  async #tellTotals(): Promise<void> {
    const { totals } = this.#options
    if (this.#unsure !== undefined) await this.#add(this.#unsure)
    for (const source of totals) {
      for (let taken = source.takeTotals(perBatch); taken.length > 0; taken = source.takeTotals(perBatch))
        await this.#add({ source: this.#source, number: ++this.#batches, totals: taken })
    }
  }

  async #add(batch: TotalsBatch): Promise<void> {
    this.#unsure = batch
    await this.#options.ledger.addTotals(batch)
    this.#unsure = undefined
  }
}

/** What of an error goes into the log: where it was thrown matters only if nobody meant to. */
const about = (error: unknown): object => (error instanceof EldernodeError ? { reason: error.message } : { err: error })
