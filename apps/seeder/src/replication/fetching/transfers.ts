import { EldernodeError, type NodeId } from '@eldernode/core'
import type { JobRecord, JobStore } from '../../library/index.ts'
import type { JobView } from '../health/port.ts'
import { TransferCancelledError, TransferError } from '../errors.ts'
import { firstOf, type Rank } from './rank.ts'

export interface Job {
  infoHash: string
  /** Whose manifest asks for this copy. */
  publisher: NodeId
}

export interface TransfersOptions {
  run: (job: Job, signal: AbortSignal) => Promise<void>
  /** Told of each failed try. The item stays queued, unless the error says for how long it is to be left alone. */
  failed: (job: Job, reason: string, error: unknown) => void
  /** Told when a transfer is over, done or aborted, and has let go of the disk: the item may be decided on anew. */
  settled: (job: Job) => void
  /** Told when a queue that was full has room again. */
  drained: () => void
  /** Told of each repair that begins or ends. */
  repairing?: (infoHashes: readonly string[]) => void
  /** Transfers at a time: of first copies, and of repairs beside them. */
  concurrency: number
  repairs?: number
  /** Of items of more than a megabyte at a time, repairs not counted; without it as many as of others. */
  large?: number
  maxQueued: number
  /** Where what waits is remembered over restarts. */
  store?: Pick<JobStore, 'all' | 'put' | 'delete'>
  now: () => number
  /** A number in [0, 1), for jitter. */
  random: () => number
}

const firstRetryMs = 2_000
const lastRetryMs = 300_000
/** A failed item with a new source waits at least so long, so that a source that comes and goes costs little. */
const hurriedRetryMs = 15_000
/** Bytes; below, the cost of a transfer is not its bytes. */
const large = 2 ** 20
const plain: Rank = { lane: 'new', urgent: false, rarity: 0, since: 0, size: 0 }

interface Waiting extends Job {
  rank: Rank
  attempts: number
  addedAt: number
  triedAt: number
  notBefore: number
  reason?: { code: string; detail: string }
}

interface Running extends Waiting {
  abort: AbortController
  done: Promise<void>
}

/**
 * The items being fetched: bounded in number and in concurrency, each tried again with back-off until cancelled. First
 * copies and repairs have slots of their own.
 */
export class Transfers {
  readonly failures: Record<string, number> = {}
  readonly #options: TransfersOptions
  readonly #waiting = new Map<string, Waiting>()
  readonly #running = new Map<string, Running>()
  /** What an earlier run of the node left, until it is asked for again. */
  readonly #left = new Map<string, JobRecord>()
  #timer: NodeJS.Timeout | undefined
  #bytes = 0
  #overflowed = false
  #closed = false

  constructor(options: TransfersOptions) {
    this.#options = options
    for (const job of options.store?.all() ?? []) this.#left.set(job.infoHash, job)
  }

  get queued(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running.size
  }

  /** Of all items that wait or run. */
  get bytes(): number {
    return this.#bytes
  }

  has(infoHash: string): boolean {
    return this.#waiting.has(infoHash) || this.#running.has(infoHash)
  }

  runs(infoHash: string): boolean {
    return this.#running.has(infoHash)
  }

  view(infoHash: string): JobView | undefined {
    const running = this.#running.get(infoHash)
    const job = running ?? this.#waiting.get(infoHash)
    if (job === undefined) return undefined
    const { rank, attempts, notBefore, reason } = job
    return {
      lane: rank.lane,
      running: running !== undefined,
      attempts,
      ...(running === undefined && { notBefore }),
      ...(reason && { reason }),
    }
  }

  /**
   * Queues an item. One that waits already keeps its turn, unless the item itself `changed`: then it is due at once.
   * @returns false when the queue is full; `drained` is called later
   */
  add(job: Job, changed = false, rank: Rank = plain): boolean {
    if (this.#closed || this.#running.has(job.infoHash)) return true
    const waiting = this.#waiting.get(job.infoHash)
    if (waiting !== undefined) {
      this.#bytes += rank.size - waiting.rank.size
      Object.assign(waiting, { ...job, rank })
      if (changed) waiting.notBefore = this.#options.now()
      if (changed) this.#schedule()
      return true
    }
    // What is urgent finds a place beside as many again that are not.
    if (this.#waiting.size >= this.#options.maxQueued * (rank.urgent ? 2 : 1)) {
      this.#overflowed = true
      return false
    }
    this.#put(this.#begun(job, rank, changed))
    this.#schedule()
    return true
  }

  /** Whether a waiting item is more or less urgent than it was. */
  rank(infoHash: string, rank: Rank): void {
    const waiting = this.#waiting.get(infoHash)
    if (waiting === undefined) return
    this.#bytes += rank.size - waiting.rank.size
    waiting.rank = rank
  }

  /** The items that wait for their turn or for another try. */
  waiting(): Iterable<Job> {
    return this.#waiting.values()
  }

  /** A waiting item has a new source: it need not wait out its back-off. */
  hurry(infoHash: string): void {
    const waiting = this.#waiting.get(infoHash)
    if (waiting === undefined || waiting.attempts === 0) return
    waiting.notBefore = Math.min(waiting.notBefore, waiting.triedAt + hurriedRetryMs)
    this.#schedule()
  }

  /** Forgets a waiting item and aborts a running one. Resolves when it has let go of the disk. */
  async cancel(infoHash: string, why: string): Promise<void> {
    const waiting = this.#waiting.get(infoHash)
    if (waiting !== undefined) {
      this.#waiting.delete(infoHash)
      this.#bytes -= waiting.rank.size
      this.#options.store?.delete(infoHash)
    }
    const running = this.#running.get(infoHash)
    running?.abort.abort(new TransferCancelledError(infoHash, why))
    await running?.done
  }

  /** Every item was decided on since the start: what an earlier run left and nobody asked for is not wanted any more. */
  sweep(): void {
    for (const infoHash of this.#left.keys()) this.#options.store?.delete(infoHash)
    this.#left.clear()
  }

  /** Aborts everything and waits until no transfer touches the disk any more. What waits is not forgotten. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#waiting.clear()
    const running = [...this.#running.values()]
    for (const { abort, infoHash } of running) abort.abort(new TransferCancelledError(infoHash, 'the node stops'))
    await Promise.all(running.map(({ done }) => done))
  }

  #begun(job: Job, rank: Rank, changed: boolean): Waiting {
    const now = this.#options.now()
    const left = this.#left.get(job.infoHash)
    this.#left.delete(job.infoHash)
    const fresh = { ...job, rank, attempts: 0, addedAt: now, triedAt: -Infinity, notBefore: now + (rank.delayMs ?? 0) }
    if (left === undefined || changed) return fresh
    const { attempts, addedAt, reason } = left
    // A clock that was put back must not make it wait for longer than a failure does.
    const notBefore = Math.min(Math.max(left.notBefore, fresh.notBefore), now + lastRetryMs)
    return { ...fresh, attempts, addedAt, notBefore, ...(reason && { reason }) }
  }

  #put(job: Waiting): void {
    const { infoHash, rank, addedAt, attempts, notBefore, reason } = job
    this.#waiting.set(infoHash, job)
    this.#bytes += rank.size
    this.#options.store?.put({ infoHash, lane: rank.lane, addedAt, attempts, notBefore, ...(reason && { reason }) })
  }

  /** Starts what is due, and sets the one timer on the next that will be. */
  #schedule(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const now = this.#options.now()
    for (let free = this.#free(); free.new > 0 || free.repair > 0; free = this.#free()) {
      const due = firstOf(this.#waiting.values(), now, free)
      if (due === undefined) return this.#wait(now)
      this.#begin(due)
    }
  }

  #free() {
    const { concurrency, repairs = concurrency, large: mostLarge = concurrency } = this.#options
    const slots = { new: concurrency, repair: repairs, large: mostLarge, retries: Math.max(1, concurrency >> 1) }
    for (const { rank, attempts } of this.#running.values()) {
      slots[rank.lane]--
      if (rank.lane === 'new' && rank.size > large) slots.large--
      if (rank.lane === 'new' && attempts > 0) slots.retries--
    }
    const noneRetries = slots.retries === Math.max(1, concurrency >> 1)
    const lastForRetry = slots.new === 1 && concurrency > 2 && noneRetries
    return { ...slots, lastForRetry, isLarge: (size: number) => size > large }
  }

  #wait(now: number): void {
    let next = Infinity
    for (const { notBefore } of this.#waiting.values()) if (notBefore > now) next = Math.min(next, notBefore)
    if (next < Infinity) this.#timer = setTimeout(() => this.#schedule(), next - now)
  }

  #begin(job: Waiting): void {
    this.#waiting.delete(job.infoHash)
    const running = { ...job, abort: new AbortController(), done: Promise.resolve() }
    this.#running.set(job.infoHash, running)
    this.#tellRepairs(job)
    running.done = this.#execute(job, running.abort.signal)
  }

  async #execute(job: Waiting, signal: AbortSignal): Promise<void> {
    let failed = false
    try {
      await this.#options.run({ infoHash: job.infoHash, publisher: job.publisher }, signal)
    } catch (error) {
      failed = !signal.aborted
      if (failed) this.#retry(job, error)
    }
    this.#running.delete(job.infoHash)
    this.#bytes -= job.rank.size
    this.#tellRepairs(job)
    if (this.#closed) return
    if (!failed) this.#options.store?.delete(job.infoHash)
    if (!failed) this.#options.settled(job)
    this.#schedule()
    if (this.#overflowed && this.#waiting.size <= this.#options.maxQueued / 2) {
      this.#overflowed = false
      this.#options.drained()
    }
  }

  #tellRepairs({ rank }: Waiting): void {
    const { repairing } = this.#options
    if (rank.lane === 'new' || repairing === undefined) return
    const all = [...this.#running.values()].filter((job) => job.rank.lane === 'repair')
    repairing(all.map(({ infoHash }) => infoHash))
  }

  #retry(job: Waiting, error: unknown): void {
    const code = error instanceof EldernodeError ? error.code : 'internal'
    this.failures[code] = (this.failures[code] ?? 0) + 1
    if (error instanceof TransferError && error.refuseForMs !== undefined) {
      this.#options.store?.delete(job.infoHash)
    } else {
      const triedAt = this.#options.now()
      const backOff = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(job.attempts, 16))
      const notBefore = Math.ceil(triedAt + backOff * (0.5 + this.#options.random() / 2))
      const reason = { code, detail: error instanceof Error ? error.message : String(error) }
      this.#put({ ...job, attempts: job.attempts + 1, triedAt, notBefore, reason })
    }
    this.#options.failed(job, code, error)
  }
}
