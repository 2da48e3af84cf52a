import type { NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Library } from '../../library/index.ts'
import { UnwritableError, type Swarm } from '../../swarm/index.ts'
import { NoSourceError, TransferError } from '../errors.ts'
import type { Sources } from '../fetching/sources.ts'
import { slowed, Stall, type StallLimits } from '../fetching/stall.ts'
import type { Job } from '../fetching/job.ts'
import { Transfers } from '../fetching/transfers.ts'

export interface MendingOptions {
  library: Pick<Library, 'head' | 'pieces' | 'isPaused'>
  swarm: Pick<Swarm, 'has' | 'check' | 'mend' | 'downloadLimit'>
  /** Those who have the item, and others who may, as addresses that may be dialled. */
  sources(infoHash: string, publisher: NodeId): Sources
  /** When a try is given up; `search` counts when nobody is known who may have the item. */
  limits: StallLimits
  search: StallLimits
  /** Items that may be mended at a time now: lost copies that are replaced take from `repair.concurrent` too. */
  most(): number
  /** Told when one has ended. */
  freed(): void
  /** Told of each item whose pieces begin or end to be fetched: all of those that are now. */
  mending(infoHashes: readonly string[]): void
  /** Waits until the rate of repairs makes up for bytes that came in so many milliseconds. */
  pay(bytes: number, took: number, signal: AbortSignal): Promise<void>
  /** Told when a queue that was full has room again. */
  drained(): void
  log: Logger
  now: () => number
  random: () => number
}

/** A disk that fails has many bad pieces: few items are mended at a time, the others wait; the catalog knows them all. */
const itemsAtATime = 2
const maxQueued = 10_000

/** Bytes. */
const largestPiece = 16 * 2 ** 20

/** Milliseconds that an item is left alone whose disk takes no bytes. */
const unwritableFor = 3_600_000

/** Has the swarm mend items some of whose pieces are wrong on disk, each tried again with back-off until it is right. */
export class Mending {
  readonly #options: MendingOptions
  readonly #queue: Transfers
  /** Items all of whose pieces were read since they were queued. */
  readonly #checked = new Set<string>()
  readonly #fetching = new Set<string>()
  /** By a clock that nobody sets. */
  readonly #leftUntil = new Map<string, number>()

  constructor(options: MendingOptions) {
    this.#options = options
    this.#queue = new Transfers({
      run: (job, signal) => this.#mend(job, signal),
      failed: (job, reason, error) => this.#failed(job, reason, error),
      settled: ({ infoHash }) => this.#checked.delete(infoHash),
      drained: () => options.drained(),
      concurrency: itemsAtATime,
      shared: { lane: 'new', most: () => options.most() },
      freed: () => options.freed(),
      maxQueued,
      now: options.now,
      random: options.random,
    })
  }

  /** Items that wait to be mended, or are being mended. */
  get items(): number {
    return this.#queue.queued + this.#queue.running
  }

  get running(): number {
    return this.#queue.running
  }

  /** Begins what is due. */
  look(): void {
    this.#queue.look()
  }

  /** One that waits already keeps its turn. An item none of whose own pieces is known to be wrong is left alone. */
  add(infoHash: string): void {
    const { library } = this.#options
    if (this.#queue.has(infoHash) || (this.#leftUntil.get(infoHash) ?? 0) > performance.now()) return
    const publisher = library.head(infoHash)?.publisher
    if (publisher !== undefined && this.#wrong(infoHash).length > 0) this.#queue.add({ infoHash, publisher })
  }

  /** Somebody may have the items who did not before. */
  hurry(infoHashes: Iterable<string>): void {
    this.#queue.hurry(infoHashes)
  }

  waiting(): Iterable<Job> {
    return this.#queue.waiting()
  }

  async close(): Promise<void> {
    await this.#queue.close()
  }

  async #mend({ infoHash, publisher }: Job, signal: AbortSignal): Promise<void> {
    const { swarm, library, sources } = this.#options
    // It may have been fetched anew, paused or removed while it waited.
    if (this.#wrong(infoHash).length === 0 || library.isPaused(infoHash) || !swarm.has(infoHash)) return
    // A file is hashed when its last wrong piece is mended, and lost if another one is found then.
    const size = await swarm.check(infoHash, this.#checked.has(infoHash) ? 'wrong' : 'all', signal)
    this.#checked.add(infoHash)
    const { peers, holders } = sources(infoHash, publisher)
    const stall = this.#stall(infoHash, size, peers.length + holders.length > 0)
    const began = performance.now()
    let came = 0
    try {
      this.#fetches(infoHash, true)
      await swarm.mend({
        infoHash,
        peers,
        webSeeds: holders.map((base) => `${base}/v1/media/${infoHash}/ws/`),
        onProgress: (received, mended) => {
          came = received
          stall.moved(received, mended)
        },
        signal: AbortSignal.any([signal, stall.signal]),
      })
      this.#leftUntil.delete(infoHash)
    } catch (error) {
      if (!(error instanceof UnwritableError)) throw error
      this.#leftUntil.set(infoHash, performance.now() + unwritableFor)
      throw new TransferError(error.code, error.message, { cause: error, refuseForMs: unwritableFor })
    } finally {
      stall.clear()
      await this.#options.pay(came, performance.now() - began, signal)
      this.#fetches(infoHash, false)
    }
  }

  #fetches(infoHash: string, begins: boolean): void {
    if (begins) this.#fetching.add(infoHash)
    else this.#fetching.delete(infoHash)
    this.#options.mending([...this.#fetching])
  }

  #stall(infoHash: string, size: number, isKnown: boolean): Stall {
    const { limits, search, swarm } = this.#options
    const item = { infoHash, size, pieceLength: Math.min(size, largestPiece) }
    const within = slowed(isKnown ? limits : search, () => swarm.downloadLimit(infoHash))
    return isKnown ? new Stall(within, item) : new Stall(within, item, new NoSourceError(infoHash))
  }

  #wrong(infoHash: string): readonly number[] {
    return this.#options.library.pieces(infoHash)?.bad ?? []
  }

  #failed({ infoHash }: Job, reason: string, error: unknown): void {
    this.#options.log.warn({ err: error, infoHash, reason }, 'an item with damaged pieces could not be mended')
    if (!this.#queue.has(infoHash)) this.#checked.delete(infoHash)
  }
}
