import { EldernodeError, type NodeId } from '@eldernode/core'
import { TransferCancelledError, TransferError } from '../errors.ts'

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
  concurrency: number
  maxQueued: number
  now: () => number
  /** A number in [0, 1), for jitter. */
  random: () => number
}

const firstRetryMs = 2_000
const lastRetryMs = 300_000
/** A failed item with a new source waits at least so long, so that a source that comes and goes costs little. */
const hurriedRetryMs = 15_000

interface Waiting extends Job {
  attempts: number
  triedAt: number
  notBefore: number
}

interface Running extends Waiting {
  abort: AbortController
  done: Promise<void>
}

/** The items being fetched: bounded in number and in concurrency, each tried again with back-off until cancelled. */
export class Transfers {
  readonly failures: Record<string, number> = {}
  readonly #options: TransfersOptions
  readonly #waiting = new Map<string, Waiting>()
  readonly #running = new Map<string, Running>()
  #timer: NodeJS.Timeout | undefined
  #overflowed = false
  #closed = false

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  get queued(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running.size
  }

  has(infoHash: string): boolean {
    return this.#waiting.has(infoHash) || this.#running.has(infoHash)
  }

  /**
   * Queues an item. One that waits already keeps its turn, unless the item itself `changed`: then it is due at once.
   * @returns false when the queue is full; `drained` is called later
   */
  add(job: Job, changed = false): boolean {
    if (this.#closed || this.#running.has(job.infoHash)) return true
    const waiting = this.#waiting.get(job.infoHash)
    if (waiting !== undefined) {
      waiting.publisher = job.publisher
      if (changed) waiting.notBefore = this.#options.now()
      if (changed) this.#schedule()
      return true
    }
    if (this.#waiting.size >= this.#options.maxQueued) {
      this.#overflowed = true
      return false
    }
    this.#waiting.set(job.infoHash, { ...job, attempts: 0, triedAt: -Infinity, notBefore: this.#options.now() })
    this.#schedule()
    return true
  }

  /** The items that wait for their turn or for another try. */
  waiting(): Iterable<Job> {
    return this.#waiting.values()
  }

  /** A waiting item has a new source: it need not wait out its back-off. */
  hurry(infoHash: string): void {
    const waiting = this.#waiting.get(infoHash)
    if (waiting === undefined) return
    waiting.notBefore = Math.min(waiting.notBefore, waiting.triedAt + hurriedRetryMs)
    this.#schedule()
  }

  /** Forgets a waiting item and aborts a running one. Resolves when it has let go of the disk. */
  async cancel(infoHash: string, why: string): Promise<void> {
    this.#waiting.delete(infoHash)
    const running = this.#running.get(infoHash)
    running?.abort.abort(new TransferCancelledError(infoHash, why))
    await running?.done
  }

  /** Aborts everything and waits until no transfer touches the disk any more. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#waiting.clear()
    const running = [...this.#running.values()]
    for (const { abort, infoHash } of running) abort.abort(new TransferCancelledError(infoHash, 'the node stops'))
    await Promise.all(running.map(({ done }) => done))
  }

  /** Starts what is due, and sets the one timer on the next that will be. */
  #schedule(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const now = this.#options.now()
    while (this.#running.size < this.#options.concurrency) {
      const due = this.#due(now)
      if (due === undefined) return this.#wait(now)
      this.#begin(due)
    }
  }

  #wait(now: number): void {
    let next = Infinity
    for (const { notBefore } of this.#waiting.values()) next = Math.min(next, notBefore)
    if (next < Infinity) this.#timer = setTimeout(() => this.#schedule(), next - now)
  }

  /** Items that failed less often go first, so that hopeless ones never keep others waiting; then in order of queueing. */
  #due(now: number): Waiting | undefined {
    let best: Waiting | undefined
    for (const job of this.#waiting.values()) {
      if (job.notBefore > now || (best !== undefined && best.attempts <= job.attempts)) continue
      best = job
      if (job.attempts === 0) break
    }
    return best
  }

  #begin(job: Waiting): void {
    this.#waiting.delete(job.infoHash)
    const running = { ...job, abort: new AbortController(), done: Promise.resolve() }
    this.#running.set(job.infoHash, running)
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
    if (this.#closed) return
    if (!failed) this.#options.settled(job)
    this.#schedule()
    if (this.#overflowed && this.#waiting.size <= this.#options.maxQueued / 2) {
      this.#overflowed = false
      this.#options.drained()
    }
  }

  #retry(job: Waiting, error: unknown): void {
    const reason = error instanceof EldernodeError ? error.code : 'internal'
    this.failures[reason] = (this.failures[reason] ?? 0) + 1
    if (!(error instanceof TransferError) || error.refuseForMs === undefined) {
      const triedAt = this.#options.now()
      const backOff = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(job.attempts, 16))
      const notBefore = triedAt + backOff * (0.5 + this.#options.random() / 2)
      this.#waiting.set(job.infoHash, { ...job, attempts: job.attempts + 1, triedAt, notBefore })
    }
    this.#options.failed(job, reason, error)
  }
}
