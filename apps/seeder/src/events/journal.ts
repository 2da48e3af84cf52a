import type { Logger } from 'pino'
import type { CopyRecord, EventRecord, EventStore } from '../library/index.ts'
import type { Events, NewEvent } from './port.ts'

export interface JournalOptions {
  store: EventStore
  log: Pick<Logger, 'error'>
}

/** How long events gather for one write: a disk that syncs a thousand times a second has other work too. */
const gatherMs = 20
const retryMs = 1000
/** Of each kind, for a disk that takes none. Those beyond are lost; the log says when that begins, and how many it were. */
const mostWaiting = 10_000
/** For listeners that keep up, so that they need not ask the catalog. */
const mostRecent = 2000

/** What happened, written down before anybody is told. */
export class Journal implements Events {
  readonly #store: EventStore
  readonly #log: JournalOptions['log']
  readonly #listeners = new Set<() => void>()
  readonly #recent: EventRecord[] = []
  #waiting: NewEvent[] = []
  #copies = new Map<string, CopyRecord | undefined>()
  #timer: NodeJS.Timeout | undefined
  #failing = false
  #lost = 0

  constructor({ store, log }: JournalOptions) {
    this.#store = store
    this.#log = log
  }

  emit(event: NewEvent): void {
    if (this.#hasRoom(this.#waiting.length)) this.#waiting.push(event)
    this.#gather(gatherMs)
  }

  /** The same for what is known of an item's copies; `undefined` forgets it. */
  noteCopies(infoHash: string, record: CopyRecord | undefined): void {
    if (this.#copies.has(infoHash) || this.#hasRoom(this.#copies.size)) this.#copies.set(infoHash, record)
    this.#gather(gatherMs)
  }

  copies(infoHash: string): CopyRecord | undefined {
    return this.#copies.has(infoHash) ? this.#copies.get(infoHash) : this.#store.copies(infoHash)
  }

  copiesIn(bucket: string): CopyRecord[] {
    const stored = this.#store.copiesIn(bucket).filter(({ infoHash }) => !this.#copies.has(infoHash))
    const waiting = [...this.#copies.values()].filter((record) => record?.infoHash.startsWith(bucket) === true)
    return [...stored, ...waiting.filter((record) => record !== undefined)]
  }

  /** In order, after `id`, at most `limit`. */
  after(id: number, limit: number): EventRecord[] {
    const first = this.#recent[0]?.id
    if (first === undefined || id + 1 < first) return this.#store.after(id, limit)
    return this.#recent.slice(id + 1 - first, id + 1 - first + limit)
  }

  get(id: number): EventRecord | undefined {
    return this.#store.get(id)
  }

  newest(): number {
    return this.#store.newest()
  }

  oldest(): number {
    return this.#store.oldest()
  }

  /** Calls `listener` after events were written. @returns ends it */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Writes what waits. */
  close(): void {
    this.#write()
    this.#lost += this.#waiting.length + this.#copies.size
    this.#countLost()
    clearTimeout(this.#timer)
    this.#listeners.clear()
  }

  /** Of a burst on a sound disk nothing is lost: what waits is written at once. */
  #hasRoom(waiting: number): boolean {
    if (waiting < mostWaiting) return true
    if (!this.#failing) this.#write()
    if (!this.#failing) return true
    if (this.#lost++ === 0) this.#log.error({ waiting }, 'events are lost from now on, until the disk takes some')
    return false
  }

  #countLost(): void {
    if (this.#lost > 0)
      this.#log.error({ lost: this.#lost }, 'events were lost, or changes of how many copies there are')
    this.#lost = 0
  }

  #gather(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#write()
    }, ms)
  }

  #write(): void {
    if (this.#waiting.length === 0 && this.#copies.size === 0) return
    let written: EventRecord[]
    try {
      written = this.#store.append(this.#waiting, this.#copies)
    } catch (error) {
      if (!this.#failing) this.#log.error({ err: error }, 'events cannot be written: they wait')
      this.#failing = true
      this.#gather(retryMs)
      return
    }
    this.#failing = false
    this.#countLost()
    this.#waiting = []
    this.#copies = new Map()
    this.#recent.push(...written)
    if (this.#recent.length > mostRecent) this.#recent.splice(0, this.#recent.length - mostRecent / 2)
    if (written.length > 0) for (const listener of this.#listeners) listener()
  }
}
