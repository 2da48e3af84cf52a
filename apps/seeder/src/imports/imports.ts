import { randomBytes } from 'node:crypto'
import { EldernodeError } from '@eldernode/core'
import type { Logger } from 'pino'
import type { ImportEnd, ImportRecord, ImportStore } from '../library/index.ts'
import { Delays } from './delays.ts'
import {
  ImportCancelledError,
  ImportInterruptedError,
  ImportNotFoundError,
  ImportSuspendedError,
  TooManyImportsError,
  YtDlpUnavailableError,
} from './errors.ts'
import type { Importer, ImportView, Kind, Wanted } from './port.ts'
import { FairQueue } from './queue.ts'
import { passes, waitAfter } from './retries.ts'

/** Finished ones that are remembered. */
const remembered = 1000
/** The node may have ended of the import itself. */
const mostAttempts = 5

export interface ImportsOptions {
  store: ImportStore
  /** By kind; one that is not there is refused when it is asked for. */
  importers: Readonly<Partial<Record<Kind, Importer>>>
  /** Imports that run at a time. */
  parallel: number
  /** How often one that failed is begun again, if that may help. */
  retries: number
  /** Milliseconds before that, by how often it was begun. */
  waitMs?: (attempts: number) => number
  /** Imports that may be unfinished, of all owners; one owner that is not the operator may have a quarter of them. */
  most: number
  /** Told after an import began or ended. It must not throw. */
  changed?(record: ImportRecord): void
  log: Logger
  now: () => number
}

/** Counts since the start, but for `now`. */
export interface ImportStats {
  now: { queued: number; waiting: number; running: number }
  ended: Record<ImportEnd['state'], number>
  /** How often one that failed was put off to be tried again. */
  retried: number
  /** Bytes that came. */
  bytes: number
}

interface Running {
  owner: string
  abort: AbortController
  received: number
  total: number | undefined
  done: Promise<void>
}

/** What is fetched from elsewhere and published here: asked for, remembered, run a few at a time, gone on with after a restart. */
export class Imports {
  readonly #options: ImportsOptions
  readonly #queue = new FairQueue()
  /** Those that failed and are tried again. */
  readonly #delays = new Delays()
  readonly #running = new Map<string, Running>()
  /** Owners of those that are being written down. */
  readonly #adding: string[] = []
  readonly #ended = { done: 0, failed: 0, cancelled: 0 }
  #retried = 0
  #bytes = 0
  #open = false

  constructor(options: ImportsOptions) {
    this.#options = options
  }

  /** Begins with what was unfinished at the last stop. */
  start(): void {
    this.#open = true
    for (const waiting of this.#options.store.unfinished()) this.#queue.add(waiting)
    this.#fill()
  }

  /** Durable when it resolves. @throws TooManyImportsError, YtDlpUnavailableError */
  async add(kind: Kind, source: string, wanted: Wanted, token?: string): Promise<ImportView> {
    const { importers, store, now, most } = this.#options
    if (importers[kind] === undefined) throw new YtDlpUnavailableError()
    const { owner } = wanted
    this.#assertRoom(owner, most)
    const id = randomBytes(16).toString('hex')
    // Its place is taken before the disk is asked, so that no two take the same.
    this.#adding.push(owner)
    try {
      const asked = { id, owner, ...(token !== undefined && { token }) }
      await store.add({ ...asked, kind, source, options: JSON.stringify(wanted) }, now())
    } finally {
      this.#adding.splice(this.#adding.indexOf(owner), 1)
    }
    this.#queue.add({ id, owner })
    this.#fill()
    return this.get(id)
  }

  /** @throws ImportNotFoundError */
  get(id: string): ImportView {
    const record = this.#options.store.get(id)
    if (record === undefined) throw new ImportNotFoundError(id)
    return this.#view(record)
  }

  /** Newest first. @throws InvalidInputError for a cursor that is none */
  list(options: Parameters<ImportStore['list']>[0]): { imports: ImportView[]; nextCursor?: string } {
    const { imports, ...rest } = this.#options.store.list(options)
    return { imports: imports.map((record) => this.#view(record)), ...rest }
  }

  /**
   * Calls an import off, or forgets one that was over. Resolves when it has let go of disk and network.
   * @returns how it was at the end: `done` when it could not be called off any more
   * @throws ImportNotFoundError
   */
  async cancel(id: string): Promise<ImportView> {
    const before = this.get(id)
    if (await this.#callOff(before)) return this.get(id)
    this.#options.store.remove(id)
    return before
  }

  /** Calls off whatever was asked for with a token: it was revoked. */
  async revoke(token: string): Promise<void> {
    const { store } = this.#options
    await Promise.all(store.unfinished(token).map(async ({ id }) => await this.#callOff(this.get(id))))
  }

  /** Ends what runs, to be begun anew at the next start. */
  async close(): Promise<void> {
    this.#open = false
    const running = [...this.#running.values()]
    for (const { abort } of running) abort.abort(new ImportSuspendedError())
    await Promise.all(running.map(({ done }) => done))
    this.#delays.clear()
  }

  /** @returns false when it was over already */
  async #callOff(view: ImportView): Promise<boolean> {
    const running = this.#running.get(view.id)
    running?.abort.abort(new ImportCancelledError())
    await running?.done
    if (running !== undefined) return true
    if (view.state !== 'queued' && view.state !== 'running') return false
    this.#queue.delete(view)
    this.#delays.delete(view.id)
    this.#end(view, { state: 'cancelled', bytes: 0 })
    return true
  }

  #assertRoom(owner: string, most: number): void {
    const unfinished = this.#queue.size + this.#delays.size + this.#running.size + this.#adding.length
    if (unfinished >= most) throw new TooManyImportsError(most)
    const adding = this.#adding.filter((other) => other === owner).length
    const own = this.#queue.sizeOf(owner) + this.#delays.sizeOf(owner) + this.#runningOf(owner) + adding
    const share = Math.ceil(most / 4)
    if (owner !== '' && own >= share) throw new TooManyImportsError(share)
  }

  #runningOf(owner: string): number {
    let count = 0
    for (const running of this.#running.values()) if (running.owner === owner) count++
    return count
  }

  /**
   * Threat: an owner whose sources are as slow as may be would keep every place for days. One is left for others.
   */
  #share(owner: string): number {
    return owner === '' ? Infinity : Math.max(1, this.#options.parallel - 1)
  }

  #fill(): void {
    while (this.#open && this.#running.size < this.#options.parallel) {
      const next = this.#queue.take(
        (owner) => this.#runningOf(owner),
        (owner) => this.#share(owner),
      )
      if (next === undefined) return
      const record = this.#options.store.get(next.id)
      if (record !== undefined) this.#begin(record)
    }
  }

  #begin(record: ImportRecord): void {
    const abort = new AbortController()
    const running: Running = { owner: record.owner, abort, received: 0, total: undefined, done: Promise.resolve() }
    this.#running.set(record.id, running)
    running.done = this.#run(record, running).catch((error: unknown) => {
      this.#options.log.error({ err: error, import: record.id }, 'an import could not be noted')
    })
  }

  async #run(record: ImportRecord, running: Running): Promise<void> {
    try {
      const end = await this.#outcome(record, running)
      if (end !== undefined) this.#end(record, end)
    } finally {
      this.#running.delete(record.id)
      this.#fill()
    }
  }

  /** How many imports are how far. */
  stats(): ImportStats {
    const now = { queued: this.#queue.size, waiting: this.#delays.size, running: this.#running.size }
    return { now, ended: { ...this.#ended }, retried: this.#retried, bytes: this.#bytes }
  }

  /** @returns undefined when it is to go on later: the node stops, or what failed is tried again */
  async #outcome({ id, owner, kind, source, options }: ImportRecord, running: Running): Promise<ImportEnd | undefined> {
    const { importers, store, retries, now, log } = this.#options
    const { signal } = running.abort
    let attempts = 0
    try {
      attempts = store.begin(id, now())
      if (attempts === 1) this.#tell(id)
      const most = Math.max(mostAttempts, retries + 1)
      if (attempts > most) throw new ImportInterruptedError(most)
      const wanted = JSON.parse(options) as Wanted
      const progress = (received: number, total?: number): void => {
        this.#bytes += Math.max(0, received - running.received)
        running.received = received
        running.total = total
      }
      const importer = importers[kind as Kind]
      if (importer === undefined) throw new YtDlpUnavailableError()
      const { infoHash } = await importer({ source, wanted, signal, progress })
      return { state: 'done', infoHash, bytes: running.received }
    } catch (error) {
      const bytes = running.received
      if (signal.reason instanceof ImportSuspendedError) return undefined
      if (signal.aborted) return { state: 'cancelled', bytes }
      if (passes(error) && attempts <= retries) {
        this.#putOff({ id, owner }, error, attempts)
        return undefined
      }
      const known = error instanceof EldernodeError
      if (known) log.info({ import: id, code: error.code }, 'an import failed')
      else log.error({ err: error, import: id }, 'an import failed')
      const { code, detail } = known
        ? { code: error.code, detail: error.message }
        : { code: 'internal', detail: 'The node failed at this import; its log says why.' }
      return { state: 'failed', error: { code, detail }, bytes }
    }
  }

  #putOff(waiting: { id: string; owner: string }, { code, message }: EldernodeError, attempts: number): void {
    const { store, waitMs = waitAfter, now, log } = this.#options
    const ms = waitMs(attempts)
    log.info({ import: waiting.id, code, attempts, ms }, 'an import failed, and is tried again')
    store.putOff(waiting.id, { code, detail: message }, now())
    this.#retried++
    this.#delays.add(waiting, ms, now(), () => {
      this.#queue.add(waiting)
      this.#fill()
    })
  }

  #end(record: ImportRecord | ImportView, end: ImportEnd): void {
    const { store, now } = this.#options
    this.#ended[end.state]++
    // A .torrent file may be large, and nobody needs it any more.
    store.end(record.id, end, now(), record.kind === 'torrent' ? '' : undefined)
    store.prune(remembered)
    this.#tell(record.id)
  }

  #tell(id: string): void {
    const record = this.#options.store.get(id)
    if (record !== undefined) this.#options.changed?.(record)
  }

  #view({ options: _options, attempts: _attempts, token: _token, source, ...record }: ImportRecord): ImportView {
    const running = this.#running.get(record.id)
    const shown = { ...record, source: record.kind === 'torrent' ? '' : source }
    const retryAt = this.#delays.until(record.id)
    if (running === undefined) return { ...shown, ...(retryAt !== undefined && { retryAt }) }
    return { ...shown, bytes: running.received, ...(running.total !== undefined && { total: running.total }) }
  }
}
