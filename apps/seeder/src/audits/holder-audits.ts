import type { NodeId } from '@eldernode/core'
import type { BucketAudit, Task } from './bucket-audit.ts'

/** Audits of one holder at a time: as many as its door lets in. */
const mostAtOnce = 4
/** A holder that does not answer is left alone for a while, doubled with each further time. */
const firstPauseMs = 1_000
const lastPauseMs = 300_000

/** The buckets of one holder that this node audits. Times in milliseconds since 1970. */
export class HolderAudits {
  readonly id: NodeId
  readonly buckets = new Map<string, BucketAudit>()
  #running = 0
  #pauses = 0
  #pausedUntil = 0
  /** Nothing is due before. */
  #quietUntil = 0

  constructor(id: NodeId) {
    this.id = id
  }

  get isIdle(): boolean {
    return this.#running === 0
  }

  /** To be called after anything changed in a bucket. */
  stir(): void {
    this.#quietUntil = 0
  }

  /** Takes what is due, and a place for it; `undefined` when nothing is or none is free. */
  take(now: number): { bucket: string; task: Task } | undefined {
    if (this.#running >= mostAtOnce || now < this.#pausedUntil || now < this.#quietUntil) return undefined
    let quietUntil = Infinity
    for (const [bucket, audit] of this.buckets) {
      const task = audit.dueAt <= now ? audit.next(now) : undefined
      if (task !== undefined) {
        this.#running++
        return { bucket, task }
      }
      quietUntil = Math.min(quietUntil, audit.dueAt)
    }
    this.#quietUntil = quietUntil
    return undefined
  }

  /** Gives the place back. */
  answered(): void {
    this.#running--
    this.#pauses = 0
    this.stir()
  }

  /** The same, when the holder could not be asked at all. */
  silent(now: number, random: () => number): void {
    this.#running--
    this.stir()
    // Others that were under way meet the same silence: it counts once.
    if (now < this.#pausedUntil) return
    this.#pausedUntil = now + Math.min(lastPauseMs, firstPauseMs * 2 ** this.#pauses++) * (0.75 + random() / 2)
  }

  /** It was heard from again. */
  resume(): void {
    this.#pausedUntil = 0
    this.#pauses = 0
  }
}
