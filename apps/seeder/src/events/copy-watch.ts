import { bucketOf } from '@eldernode/core'
import type { CopyRecord } from '../library/index.ts'
import type { Journal } from './journal.ts'

export interface CopyWatchOptions {
  journal: Journal
  /** How many copies of an item count; `undefined` while nothing is known of it. */
  copies(infoHash: string): number | undefined
  /** Has `listener` told of each item that has more or fewer. @returns ends it */
  onChange(listener: (infoHash: string) => void): () => void
  /** Whether enough is known of the network to say that copies are gone. */
  isSettled(): boolean
  now: () => number
}

/** After something changed, so long to let more change. */
const calmMs = 500
/** Until the network is known, and then once, what changed while this node was off is looked for. */
const settlingMs = 5000
/** A copy that is doubted for a moment, as after a crash, is proven again within this time; then it was no loss. */
const doubtMs = 5000

/**
 * Tells when items published here have the copies they ask for, and when they have lost them. Looks at an item when its
 * copies change, and at all of them once after a start.
 */
export class CopyWatch {
  readonly #options: CopyWatchOptions
  readonly #buckets = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #round: NodeJS.Timeout | undefined
  #doubts: NodeJS.Timeout | undefined
  /** Items that seem to have lost copies: for less than `doubtMs`, for longer, and for long enough to be told. */
  #doubted = new Set<string>()
  #doubtedBefore = new Set<string>()
  readonly #lost = new Set<string>()
  #end = (): void => undefined

  constructor(options: CopyWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#end = this.#options.onChange((infoHash) => this.touch(infoHash))
    this.#round = setInterval(() => this.#settle(), settlingMs)
    this.#lookAtAll()
  }

  /** After something happened to an item here. */
  touch(infoHash: string): void {
    this.#lookAt(bucketOf(infoHash))
  }

  close(): void {
    this.#end()
    clearInterval(this.#round)
    clearTimeout(this.#timer)
    clearTimeout(this.#doubts)
  }

  #settle(): void {
    if (!this.#options.isSettled()) return
    clearInterval(this.#round)
    this.#lookAtAll()
  }

  #lookAtAll(): void {
    for (let byte = 0; byte < 256; byte++) this.#lookAt(byte.toString(16).padStart(2, '0'))
  }

  #lookAt(bucket: string): void {
    this.#buckets.add(bucket)
    this.#timer ??= setTimeout(() => this.#next(), calmMs)
  }

  /** One bucket in a turn: they may hold thousands of items each. */
  #next(): void {
    this.#timer = undefined
    const [bucket] = this.#buckets
    if (bucket === undefined) return
    this.#buckets.delete(bucket)
    for (const record of this.#options.journal.copiesIn(bucket)) this.#judge(record)
    if (this.#buckets.size > 0) this.#timer = setTimeout(() => this.#next(), 1)
  }

  #doubt(infoHash: string): void {
    if (!this.#doubtedBefore.has(infoHash)) this.#doubted.add(infoHash)
    this.#doubts ??= setTimeout(() => this.#age(), doubtMs)
  }

  #believe(infoHash: string): void {
    for (const doubted of [this.#doubted, this.#doubtedBefore, this.#lost]) doubted.delete(infoHash)
  }

  #age(): void {
    for (const infoHash of this.#doubtedBefore) {
      this.#lost.add(infoHash)
      this.touch(infoHash)
    }
    this.#doubtedBefore = this.#doubted
    this.#doubted = new Set()
    this.#doubts = this.#doubtedBefore.size > 0 ? setTimeout(() => this.#age(), doubtMs) : undefined
  }

  #judge(record: CopyRecord): void {
    const { journal, now } = this.#options
    const { infoHash, owner, access, min, target } = record
    const copies = this.#options.copies(infoHash)
    if (copies === undefined) return
    const state = stateAfter(record, copies)
    if (state === 'degraded' && record.state !== 'degraded' && !this.#lost.has(infoHash)) return this.#doubt(infoHash)
    this.#believe(infoHash)
    if (state === record.state) return
    journal.noteCopies(infoHash, { ...record, state })
    const type = state === 'whole' ? 'replicated' : state === 'degraded' ? 'degraded' : undefined
    if (type !== undefined) journal.emit({ type, infoHash, owner, access, at: now(), data: { copies, min, target } })
  }
}

/** One that lost a copy more than it needs, and gets it back, says nothing. */
function stateAfter({ state, min, target }: CopyRecord, copies: number): CopyRecord['state'] {
  if (copies >= target) return 'whole'
  if (copies < min) return state === 'new' ? 'new' : 'degraded'
  return state === 'new' ? 'enough' : state
}
