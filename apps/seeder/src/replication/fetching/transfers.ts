import { EldernodeError, type NodeId } from '@eldernode/core'
import type { JobRecord, JobStore } from '../../library/index.ts'
import type { JobView } from '../health/port.ts'
import { TransferCancelledError, TransferError } from '../errors.ts'
import { Line } from './line.ts'
import { hope, isDoubtful, isLarge, type Candidate, type Rank } from './rank.ts'

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
  /** Told when the store, or who is told of something here, failed: the transfers go on. */
  fault?: (error: unknown) => void
  /** Milliseconds since 1970, for what is told and remembered. */
  now: () => number
  /** Milliseconds of a clock that nobody sets, for what is waited for. */
  clock?: () => number
  /** A number in [0, 1), for jitter. */
  random: () => number
}

const firstRetryMs = 2_000
const lastRetryMs = 300_000
/** A failed item with a new source waits at least so long, so that a source that comes and goes costs little. */
const hurriedRetryMs = 15_000
/** Timers of a longer time are set in steps. */
const longestTimerMs = 3_600_000
const plain: Rank = { lane: 'new', urgent: false, rarity: 0, since: 0, size: 0 }

interface Waiting extends Job, Candidate {
  /** Milliseconds since 1970. */
  addedAt: number
  triedAt: number
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
  readonly #clock: () => number
  readonly #waiting = new Map<string, Waiting>()
  readonly #line = new Line<Waiting>()
  readonly #running = new Map<string, Running>()
  /** What an earlier run of the node left, until it is asked for again. */
  readonly #left = new Map<string, JobRecord>()
  #timer: NodeJS.Timeout | undefined
  /** When the timer is to fire. */
  #wakesAt = Infinity
  #turn = 0
  #bytes = 0
  #overflowed = false
  #closed = false

  constructor(options: TransfersOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
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
      ...(running === undefined && { notBefore: this.#told(notBefore) }),
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
    for (const infoHash of this.#left.keys()) this.#note((store) => store.delete(infoHash))
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
    this.#note((store) => store.delete(waiting.infoHash))
  }

  #begun(job: Job, rank: Rank, changed: boolean): Waiting {
    const [now, addedAt] = [this.#clock(), this.#options.now()]
    const left = this.#left.get(job.infoHash)
    this.#left.delete(job.infoHash)
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
    this.#note((store) =>
      store.put({ infoHash, lane: rank.lane, addedAt, attempts, notBefore, ...(reason && { reason }) }),
    )
  }

  /** What cannot be noted is found again after a restart, by comparing what is wanted with what is held. */
  #note(change: (store: Pick<JobStore, 'put' | 'delete'>) => void): void {
    const { store } = this.#options
    if (store !== undefined) this.#safely(() => change(store))
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
    for (let free = this.#free(); free.new > 0 || free.repair > 0; free = this.#free()) {
      const due = this.#line.next(now, free)
      if (due === undefined) return this.#wait(now)
      this.#begin(due)
    }
  }

  #free() {
    const { concurrency, repairs = concurrency, large = concurrency } = this.#options
    const mostDoubtful = Math.max(1, concurrency >> 1)
    const slots = { new: concurrency, repair: repairs, large, doubtful: mostDoubtful }
    for (const job of this.#running.values()) {
      slots[job.rank.lane]--
      if (job.rank.lane === 'new' && isLarge(job.rank)) slots.large--
      if (job.rank.lane === 'new' && isDoubtful(job)) slots.doubtful--
    }
    const lastForDoubtful = slots.new === 1 && concurrency > 2 && slots.doubtful === mostDoubtful
    return { ...slots, lastForDoubtful }
  }

  #wait(now: number): void {
    const next = this.#line.nextAt(now)
    if (next === this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = next
    if (next === Infinity) return
    const wake = (): void => {
      this.#wakesAt = Infinity
      this.#schedule()
    }
    this.#timer = setTimeout(wake, Math.min(Math.ceil(next - now), longestTimerMs))
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
    if (!failed) this.#note((store) => store.delete(job.infoHash))
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
    const all = [...this.#running.values()].filter((job) => job.rank.lane === 'repair')
    this.#safely(() => repairing(all.map(({ infoHash }) => infoHash)))
  }

  #retry(job: Waiting, error: unknown): void {
    const code = error instanceof EldernodeError ? error.code : 'internal'
    this.failures[code] = (this.failures[code] ?? 0) + 1
    if (error instanceof TransferError && error.refuseForMs !== undefined) {
      this.#note((store) => store.delete(job.infoHash))
    } else {
      const triedAt = this.#clock()
      const backOff = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(job.attempts, 16))
      const notBefore = triedAt + backOff * (0.5 + this.#options.random() / 2)
      const reason = { code, detail: error instanceof Error ? error.message : String(error) }
      this.#put({ ...job, attempts: job.attempts + 1, turn: this.#turn++, triedAt, notBefore, reason })
    }
    this.#options.failed(job, code, error)
  }
}
