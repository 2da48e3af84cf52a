import { EldernodeError } from '@eldernode/core'
import type { JobView } from '../health/port.ts'
import { TransferCancelledError, TransferError } from '../errors.ts'
import { backOff, lastRetryMs, viewOf, type Job, type Waiting } from './job.ts'
import { Line } from './line.ts'
import { hope, type Rank } from './rank.ts'
import { Remembered } from './remembered.ts'
import { freeSlots } from './slots.ts'
import type { TransfersOptions } from './transfers-options.ts'
import { Wake } from './wake.ts'

/** A failed item with a new source waits at least so long, so that a source that comes and goes costs little. */
const hurriedRetryMs = 15_000
const plain: Rank = { lane: 'new', urgent: false, rarity: 0, since: 0, size: 0 }

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
  readonly #clock: () => number
  readonly #waiting = new Map<string, Waiting>()
  readonly #line = new Line<Waiting>()
  readonly #running = new Map<string, Running>()
  readonly #remembered: Remembered
  readonly #wake = new Wake(() => this.#schedule())
  #turn = 0
  #bytes = 0
  #overflowed = false
  #closed = false

  constructor(options: TransfersOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
    this.#remembered = new Remembered(options)
  }

  get queued(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running.size
  }

  get repairs(): number {
    return this.#repairs().length
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
    return viewOf(job, running === undefined ? this.#told(job.notBefore) : undefined)
  }

  /**
   * Queues an item. One that waits already keeps its turn, unless the item itself `changed`: then it is due at once.
   * @returns false when the queue is full; `drained` is called later
   */
  add(job: Job, changed = false, rank: Rank = plain): boolean {
    if (this.#closed || this.#running.has(job.infoHash)) return true
    const waiting = this.#waiting.get(job.infoHash)
    if (waiting !== undefined) {
      waiting.publisher = job.publisher
      this.#line.change(waiting, () => {
        if (changed) waiting.notBefore = this.#clock()
        this.#rank(waiting, rank)
      })
      if (changed) this.#schedule()
      return true
    }
    if (!this.#findPlace(rank)) {
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
    const wasUnclaimed = waiting.rank.unclaimed === true
    this.#line.change(waiting, () => this.#rank(waiting, rank))
    // More slots are open to it than before.
    if (wasUnclaimed && rank.unclaimed !== true) this.#schedule()
  }

  /** Begins what is due: a slot that is shared may be free. */
  look(): void {
    this.#schedule()
  }

  /** The items that wait for their turn or for another try. */
  waiting(): Iterable<Job> {
    return this.#waiting.values()
  }

  /** Items have a new source: those that wait need not wait out their back-off. */
  hurry(infoHashes: Iterable<string>): void {
    for (const infoHash of infoHashes) {
      const waiting = this.#waiting.get(infoHash)
      const soonest = (waiting?.triedAt ?? 0) + hurriedRetryMs
      if (waiting === undefined || waiting.attempts === 0 || waiting.notBefore <= soonest) continue
      this.#line.change(waiting, () => (waiting.notBefore = soonest))
    }
    this.#schedule()
  }

  /** Forgets a waiting item and aborts a running one. Resolves when it has let go of the disk. */
  async cancel(infoHash: string, why: string): Promise<void> {
    const waiting = this.#waiting.get(infoHash)
    if (waiting !== undefined) this.#drop(waiting)
    const running = this.#running.get(infoHash)
    running?.abort.abort(new TransferCancelledError(infoHash, why))
    await running?.done
  }

  /** Every item was decided on since the start: what an earlier run left and nobody asked for is not wanted any more. */
  sweep(): void {
    this.#remembered.sweep()
  }

  /** Aborts everything and waits until no transfer touches the disk any more. What waits is not forgotten. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake.clear()
    this.#waiting.clear()
    const running = [...this.#running.values()]
    for (const { abort, infoHash } of running) abort.abort(new TransferCancelledError(infoHash, 'the node stops'))
    await Promise.all(running.map(({ done }) => done))
  }

  /** What is urgent finds a place beside as many again that are not, and what may succeed that of what hardly will. */
  #findPlace(rank: Rank): boolean {
    const { maxQueued } = this.#options
    if (this.#waiting.size < maxQueued * (rank.urgent && rank.unclaimed !== true ? 2 : 1)) return true
    const { worst } = this.#line
    if (worst === undefined || rank.unclaimed === true || hope(worst, { rank, attempts: 0 }) <= 0) return false
    this.#drop(worst)
    this.#overflowed = true
    return true
  }

  #rank(waiting: Waiting, rank: Rank): void {
    this.#bytes += rank.size - waiting.rank.size
    waiting.rank = rank
  }

  #drop(waiting: Waiting): void {
    this.#waiting.delete(waiting.infoHash)
    this.#line.delete(waiting)
    this.#bytes -= waiting.rank.size
    this.#remembered.delete(waiting.infoHash)
  }

  #begun(job: Job, rank: Rank, changed: boolean): Waiting {
    const [now, addedAt] = [this.#clock(), this.#options.now()]
    const left = this.#remembered.take(job.infoHash)
    const times = { addedAt, triedAt: -Infinity, notBefore: now + (rank.delayMs ?? 0) }
    const fresh = { ...job, ...times, rank, attempts: 0, turn: this.#turn++ }
    if (left === undefined || changed) return fresh
    const { attempts, reason } = left
    // A clock that was put back must not make it wait for longer than a failure does.
    const notBefore = Math.max(fresh.notBefore, now + Math.min(left.notBefore - addedAt, lastRetryMs))
    return { ...fresh, attempts, addedAt: left.addedAt, notBefore, ...(reason && { reason }) }
  }

  #put(job: Waiting): void {
    const { infoHash, rank, addedAt, attempts, reason } = job
    this.#waiting.set(infoHash, job)
    this.#line.add(job)
    this.#bytes += rank.size
    const notBefore = this.#told(job.notBefore)
    this.#remembered.put({ infoHash, lane: rank.lane, addedAt, attempts, notBefore, ...(reason && { reason }) })
  }

  /** Threat: an error that nobody catches would end the node, and keep a slot for ever. */
  #safely(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#options.fault?.(error)
    }
  }

  /** A time of the clock that nobody sets, in whole milliseconds since 1970. */
  #told(at: number): number {
    return Math.round(this.#options.now() + at - this.#clock())
  }

  /** Starts what is due, and sets the one timer on the next that will be. */
  #schedule(): void {
    if (this.#closed) return
    const now = this.#clock()
    for (;;) {
      const free = freeSlots(this.#options, this.#running.values())
      if (free.new <= 0 && free.repair <= 0) return
      const due = this.#line.next(now, free)
      if (due === undefined) return this.#wake.set(this.#line.nextAt(now), now)
      this.#begin(due)
    }
  }

  #begin(job: Waiting): void {
    this.#waiting.delete(job.infoHash)
    this.#line.delete(job)
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
      if (failed) this.#safely(() => this.#retry(job, error))
    }
    this.#running.delete(job.infoHash)
    this.#bytes -= job.rank.size
    this.#tellRepairs(job)
    if (this.#closed) return
    this.#safely(() => this.#options.freed?.())
    if (!failed) this.#remembered.delete(job.infoHash)
    if (!failed) this.#safely(() => this.#options.settled(job))
    this.#schedule()
    if (this.#overflowed && this.#waiting.size <= this.#options.maxQueued / 2) {
      this.#overflowed = false
      this.#safely(() => this.#options.drained())
    }
  }

  #tellRepairs({ rank }: Waiting): void {
    const { repairing } = this.#options
    if (rank.lane === 'new' || repairing === undefined) return
    this.#safely(() => repairing(this.#repairs()))
  }

  /** The repairs that run. */
  #repairs(): string[] {
    const repairs = [...this.#running.values()].filter(({ rank }) => rank.lane === 'repair')
    return repairs.map(({ infoHash }) => infoHash)
  }

  #retry(job: Waiting, error: unknown): void {
    const code = error instanceof EldernodeError ? error.code : 'internal'
    this.failures[code] = (this.failures[code] ?? 0) + 1
    if (error instanceof TransferError && error.refuseForMs !== undefined) {
      this.#remembered.delete(job.infoHash)
    } else {
      const triedAt = this.#clock()
      const notBefore = triedAt + backOff(job.attempts, this.#options.random)
      const reason = { code, detail: error instanceof Error ? error.message : String(error) }
      this.#put({ ...job, attempts: job.attempts + 1, turn: this.#turn++, triedAt, notBefore, reason })
    }
    this.#options.failed(job, code, error)
  }
}
