import {
  BucketFullError,
  OwnHoldings,
  Pace,
  type Graph,
  type Holdings,
  type HoldingState,
  type NodeId,
} from '@eldernode/core'
import type { Logger } from 'pino'
import { Slices } from '../slices.ts'

export interface HoldingsNoticeOptions {
  self: NodeId
  graph: Pick<Graph, 'get' | 'publish'>
  /** Whether an item is not public, so that members alone are told of it. */
  isHidden(infoHash: string): boolean
  /** Told of items that the network has just been told are about to be released. */
  releasing?(infoHashes: readonly string[]): void
  log: Logger
}

/** Everything in an envelope beside its hashes, and one hash in JSON: what a publication costs, near enough. */
const envelopeBytes = 400
const hashBytes = 43
const empty: Holdings = { held: [], releasing: [], refused: [] }
/** Before the bucket in a key of what only members are told. */
const branch = 'x/'

/**
 * Tells the network what this node holds and refuses, at core's pace. Nothing is published before `open`: at a start
 * the notice is filled first, so that what is held is never taken back for a moment.
 */
export class HoldingsNotice {
  readonly #options: HoldingsNoticeOptions
  readonly #shown = new OwnHoldings()
  readonly #hidden = new OwnHoldings()
  readonly #pace = new Pace()
  #timer: NodeJS.Timeout | undefined
  #publishing: Promise<void> | undefined
  #shownCount = 0
  #opened = false
  #closed = false

  constructor(options: HoldingsNoticeOptions) {
    this.#options = options
  }

  hold(infoHash: string): void {
    this.#set(infoHash, 'held')
  }

  /** The copy is still here, and goes soon unless it is wanted again. What is not said to be here cannot go. */
  release(infoHash: string): void {
    if (this.holds(infoHash)) this.#set(infoHash, 'releasing')
  }

  /** A copy that was about to go stays; one that is gone, or that is known to be bad, is not said to be here by that. */
  stay(infoHash: string): void {
    if (this.holds(infoHash)) this.#set(infoHash, 'held')
  }

  /** What the network is told, or about to be told, of an item here. */
  stateOf(infoHash: string): HoldingState | undefined {
    return this.#hidden.get(infoHash) ?? this.#shown.get(infoHash)
  }

  refuse(infoHash: string): void {
    this.#set(infoHash, 'refused')
  }

  /** Says that a copy is here, without a word on whether it goes soon. */
  keep(infoHash: string): void {
    this.#set(infoHash, this.stateOf(infoHash) === 'releasing' ? 'releasing' : 'held')
  }

  holds(infoHash: string): boolean {
    return [this.#shown, this.#hidden].some((said) => isHere(said.get(infoHash)))
  }

  /** How many public items are said to be held: strangers are told of no more. */
  get shownCount(): number {
    return this.#shownCount
  }

  /** What is said to be here, in infohash order. */
  *held(): Iterable<string> {
    for (const bucket of new Set([...this.#shown.buckets(), ...this.#hidden.buckets()].toSorted())) {
      const [shown, hidden] = [this.#shown.bucket(bucket), this.#hidden.bucket(bucket)]
      const others = [...shown.releasing, ...hidden.held, ...hidden.releasing]
      yield* others.length === 0 ? shown.held : [...shown.held, ...others].toSorted()
    }
  }

  /** Says nothing of the item any more. */
  drop(infoHash: string): void {
    this.#set(infoHash, undefined)
  }

  /** Begins to publish. What the graph still says of this node from an earlier run is replaced where it differs. */
  async open(): Promise<void> {
    this.#opened = true
    const slices = new Slices()
    for (let byte = 0; byte < 512; byte++) {
      const key = (byte < 256 ? '' : branch) + (byte % 256).toString(16).padStart(2, '0')
      const before = this.#options.graph.get('h', this.#options.self, key)?.body
      if (JSON.stringify(ordered(before ?? empty)) !== JSON.stringify(ordered(this.#bucket(key)))) {
        this.#pace.changed(key, performance.now())
      }
      if (slices.over) await slices.next()
    }
    this.#plan()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#publishing
  }

  #set(infoHash: string, state: HoldingState | undefined): void {
    const wasShown = this.#shown.get(infoHash) === 'held'
    const isHidden = state !== undefined && this.#options.isHidden(infoHash)
    try {
      const hidden = this.#hidden.set(infoHash, isHidden ? state : undefined)
      const shown = this.#shown.set(infoHash, isHidden ? undefined : state)
      this.#shownCount += Number(this.#shown.get(infoHash) === 'held') - Number(wasShown)
      if (!this.#opened) return
      if (hidden !== undefined) this.#pace.changed(branch + hidden, performance.now())
      if (shown !== undefined) this.#pace.changed(shown, performance.now())
      this.#plan()
    } catch (error) {
      if (!(error instanceof BucketFullError)) throw error
      this.#options.log.warn({ err: error, infoHash }, 'the network is not told of this item')
    }
  }

  #bucket(key: string): Holdings {
    return key.startsWith(branch) ? this.#hidden.bucket(key.slice(branch.length)) : this.#shown.bucket(key)
  }

  #plan(): void {
    const next = this.#pace.nextAt()
    if (this.#closed || this.#publishing || next === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, Math.ceil(next - performance.now())))
  }

  #begin(): void {
    this.#publishing = this.#publishDue().finally(() => {
      this.#publishing = undefined
      this.#plan()
    })
  }

  async #publishDue(): Promise<void> {
    for (;;) {
      const key = this.#pace.take(performance.now())
      if (key === undefined || this.#closed) return
      const holdings = this.#bucket(key)
      try {
        await this.#options.graph.publish('h', key, holdings)
        if (holdings.releasing.length > 0) this.#options.releasing?.(holdings.releasing)
      } catch (error) {
        this.#pace.changed(key, performance.now())
        this.#options.log.error({ err: error, bucket: key }, 'holdings could not be published; tried again in 10 s')
      }
      const hashes = holdings.held.length + holdings.releasing.length + holdings.refused.length
      this.#pace.published(envelopeBytes + hashes * hashBytes, performance.now())
    }
  }
}

function isHere(state: HoldingState | undefined): boolean {
  return state === 'held' || state === 'releasing'
}

function ordered({ held, releasing, refused }: Holdings): Holdings {
  return { held, releasing, refused }
}
