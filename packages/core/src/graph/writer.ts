import type { Admitted } from './guard.ts'
import type { Entry, GraphStore } from './port.ts'
import { supersedes } from './supersedes.ts'

/** Most entries in one transaction. */
const batchEntries = 500
/** Longest wait before a batch is written, in milliseconds. */
const longestWait = 100
/** What others published may wait a little longer for company: nobody awaits it. */
const foreignWait = 10

interface Waiting extends Admitted {
  durable: boolean
  done: ((error?: Error) => unknown) | undefined
}

export interface WriterOptions {
  store: GraphStore
  now: () => number
  /** Told what the store has taken, in order. */
  onStored(batch: readonly Admitted[]): void
  onFailed(error: unknown, batch: readonly Admitted[]): void
}

/**
 * Gathers values into batches, since one transaction costs about as much as fifty more rows. What waits is visible
 * through `get`, so that a value is never verified or taken twice.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #pending = new Map<string, Entry>()
  #queue: Waiting[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> | undefined
  #wait = 2
  #due = 0
  #enqueued = 0
  #settled = 0

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get(soul: string, key: string): Entry | undefined {
    return this.#pending.get(`${soul} ${key}`) ?? this.#options.store.get(soul, key)
  }

  /** Values of others: written soon. `written` is called once the last of them is. */
  add(batch: readonly Admitted[], written?: () => void): void {
    const done = written && ((error?: Error) => error === undefined && written())
    for (const [i, value] of batch.entries()) {
      this.#enqueue({ ...value, durable: false, done: i === batch.length - 1 ? done : undefined })
    }
  }

  /** A value of this node. Resolves once it would survive a crash of the machine. */
  put(value: Admitted): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ ...value, durable: true, done: (error) => (error === undefined ? resolve() : reject(error)) })
    })
  }

  /** Resolves once everything that waits now is written; what comes meanwhile does not prolong it. */
  async flush(): Promise<void> {
    const target = this.#enqueued
    while (this.#settled < target) {
      this.#write()
      await this.#writing
    }
  }

  #enqueue(value: Waiting): void {
    const { soul, key } = value.entry
    this.#queue.push(value)
    this.#enqueued++
    const name = `${soul} ${key}`
    if (supersedes(value.entry, this.#pending.get(name))) this.#pending.set(name, value.entry)
    if (this.#queue.length >= batchEntries) this.#write()
    else this.#schedule(value.durable ? this.#wait : Math.max(this.#wait, foreignWait))
  }

  #schedule(wait: number): void {
    const due = this.#options.now() + wait
    if (this.#timer !== undefined && due >= this.#due) return
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(() => this.#write(), wait)
  }

  #write(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing !== undefined || this.#queue.length === 0) return
    const batch = this.#queue.splice(0, batchEntries * 2)
    const started = this.#options.now()
    const finished = (error?: Error): void => {
      // A slow disk gets larger batches: it may block the event loop a third of the time, not all of it.
      this.#wait = Math.min(longestWait, Math.max(2, 2 * (this.#options.now() - started)))
      this.#settle(batch, error)
    }
    try {
      const upserted = this.#options.store.upsert(
        batch.map(({ entry }) => entry),
        batch.some(({ durable }) => durable),
      )
      if (!(upserted instanceof Promise)) return finished()
      this.#writing = upserted.then(
        () => finished(),
        (error: unknown) => finished(asError(error)),
      )
      this.#writing = this.#writing.finally(() => {
        this.#writing = undefined
        if (this.#queue.length > 0) this.#schedule(0)
      })
    } catch (error) {
      finished(asError(error))
    }
  }

  #settle(batch: readonly Waiting[], error: Error | undefined): void {
    this.#settled += batch.length
    for (const { entry } of batch) {
      const name = `${entry.soul} ${entry.key}`
      if (this.#pending.get(name) === entry) this.#pending.delete(name)
    }
    if (error === undefined) this.#options.onStored(batch)
    else this.#options.onFailed(error, batch)
    for (const { done } of batch) done?.(error)
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('the graph store failed', { cause: thrown })
}
