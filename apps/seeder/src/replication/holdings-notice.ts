import { BucketFullError, OwnHoldings, Pace, type Graph, type Holdings, type NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import { Slices } from './slices.ts'

export interface HoldingsNoticeOptions {
  self: NodeId
  graph: Pick<Graph, 'get' | 'publish'>
  log: Logger
}

/** Everything in an envelope beside its hashes, and one hash in JSON: what a publication costs, near enough. */
const envelopeBytes = 400
const hashBytes = 43
const empty: Holdings = { held: [], releasing: [], refused: [] }

/**
 * Tells the network what this node holds and refuses, at core's pace. Nothing is published before `open`: at a start
 * the notice is filled first, so that what is held is never taken back for a moment.
 */
export class HoldingsNotice {
  readonly #options: HoldingsNoticeOptions
  readonly #own = new OwnHoldings()
  readonly #pace = new Pace()
  #timer: NodeJS.Timeout | undefined
  #publishing: Promise<void> | undefined
  #opened = false
  #closed = false

  constructor(options: HoldingsNoticeOptions) {
    this.#options = options
  }

  hold(infoHash: string): void {
    this.#set(infoHash, 'held')
  }

  refuse(infoHash: string): void {
    this.#set(infoHash, 'refused')
  }

  holds(infoHash: string): boolean {
    return this.#own.get(infoHash) === 'held'
  }

  /** What is said to be held, in infohash order. */
  *held(): Iterable<string> {
    for (const bucket of this.#own.buckets()) yield* this.#own.bucket(bucket).held
  }

  /** Says nothing of the item any more. */
  drop(infoHash: string): void {
    this.#set(infoHash, undefined)
  }

  /** Begins to publish. What the graph still says of this node from an earlier run is replaced where it differs. */
  async open(): Promise<void> {
    this.#opened = true
    const slices = new Slices()
    for (let byte = 0; byte < 256; byte++) {
      const bucket = byte.toString(16).padStart(2, '0')
      const before = this.#options.graph.get('h', this.#options.self, bucket)?.body
      if (JSON.stringify(ordered(before ?? empty)) !== JSON.stringify(ordered(this.#own.bucket(bucket)))) {
        this.#pace.changed(bucket, performance.now())
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

  #set(infoHash: string, state: 'held' | 'refused' | undefined): void {
    try {
      const bucket = this.#own.set(infoHash, state)
      if (bucket === undefined || !this.#opened) return
      this.#pace.changed(bucket, performance.now())
      this.#plan()
    } catch (error) {
      if (!(error instanceof BucketFullError)) throw error
      this.#options.log.warn({ err: error, infoHash }, 'the network is not told of this item')
    }
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
      const bucket = this.#pace.take(performance.now())
      if (bucket === undefined || this.#closed) return
      const holdings = this.#own.bucket(bucket)
      try {
        await this.#options.graph.publish('h', bucket, holdings)
      } catch (error) {
        this.#pace.changed(bucket, performance.now())
        this.#options.log.error({ err: error, bucket }, 'holdings could not be published; tried again in 10 s')
      }
      const hashes = holdings.held.length + holdings.releasing.length + holdings.refused.length
      this.#pace.published(envelopeBytes + hashes * hashBytes, performance.now())
    }
  }
}

function ordered({ held, releasing, refused }: Holdings): Holdings {
  return { held, releasing, refused }
}
