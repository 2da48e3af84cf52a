import { bucketOf, type Graph, type NodeId } from '@eldernode/core'
import type { CopyRecord } from '../library/index.ts'
import type { Journal } from './journal.ts'

export interface CopyWatchOptions {
  graph: Pick<Graph, 'watch'>
  journal: Journal
  /** How many members hold an item. */
  copies(infoHash: string): number
  members(): readonly { id: NodeId }[]
  now: () => number
}

/** After something changed, so long to let more change. */
const calmMs = 500
/** How often it is looked whether members came or went. */
const membersMs = 5000

/**
 * Tells when items published here have the copies they ask for, and when they have lost them. Looks at the items of one
 * bucket when somebody's holdings of that bucket change, and at all when members come or go.
 */
export class CopyWatch {
  readonly #options: CopyWatchOptions
  readonly #buckets = new Set<string>()
  #members = ''
  #timer: NodeJS.Timeout | undefined
  #round: NodeJS.Timeout | undefined
  #end = (): void => undefined

  constructor(options: CopyWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#end = this.#options.graph.watch('h', ({ soul }) => this.#lookAt(soul.slice(soul.lastIndexOf('/') + 1)))
    this.#round = setInterval(() => this.#askMembers(), membersMs)
    this.#askMembers()
  }

  /** After something happened to an item here. */
  touch(infoHash: string): void {
    this.#lookAt(bucketOf(infoHash))
  }

  close(): void {
    this.#end()
    clearInterval(this.#round)
    clearTimeout(this.#timer)
  }

  #askMembers(): void {
    const members = this.#options
      .members()
      .map(({ id }) => id)
      .sort()
      .join()
    if (members === this.#members) return
    this.#members = members
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

  #judge(record: CopyRecord): void {
    const { journal, now } = this.#options
    const { infoHash, owner, access, min, target } = record
    const copies = this.#options.copies(infoHash)
    const state = stateAfter(record, copies)
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
