import { Worker } from 'node:worker_threads'
import { LedgerAwayError, LedgerFileError, LedgerFullError, LedgerTooNewError } from './errors.ts'
import type { Fault } from './failure.ts'
import type { Ban, Changes, Key, Ledger, ListName, NewKey, Page, PageRequest, Position, TotalsBatch } from './port.ts'
import type { SqliteTables } from './sqlite-tables.ts'

export interface Call {
  id: number
  method: keyof SqliteTables
  args: readonly unknown[]
  /** Milliseconds since 1970. */
  at: number
}

export interface Reply {
  id: number
  value?: unknown
  fault?: Fault
}

type Result<Method extends keyof SqliteTables> = ReturnType<SqliteTables[Method]>

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

const script = new URL(import.meta.url.endsWith('.ts') ? './ledger-worker.ts' : './ledger-worker.js', import.meta.url)

/** It holds a page of rows at a time. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }

/** The ledger of one machine: a file, written in a thread of its own. */
export class SqliteLedger implements Ledger {
  readonly #path: string
  readonly #now: () => number
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #calls = 0

  /** @param now milliseconds since 1970 */
  constructor(path: string, now: () => number) {
    this.#path = path
    this.#now = now
  }

  /** @throws LedgerFileError, LedgerTooNewError */
  async open(): Promise<void> {
    await this.#call('find', 0)
  }

  create(label: string): Promise<NewKey> {
    return this.#call('create', label)
  }

  revoke(id: number): Promise<boolean> {
    return this.#call('revoke', id)
  }

  find(id: number): Promise<Key | undefined> {
    return this.#call('find', id)
  }

  keys(page: PageRequest): Promise<Page<Key>> {
    return this.#call('keys', page)
  }

  setListed(list: ListName, infoHashes: readonly string[], isListed: boolean): Promise<void> {
    return this.#call('setListed', list, infoHashes, isListed)
  }

  listed(list: ListName, page: PageRequest): Promise<Page<string>> {
    return this.#call('listed', list, page)
  }

  ban(bans: readonly Ban[]): Promise<void> {
    return this.#call('ban', bans)
  }

  bans(page: PageRequest): Promise<Page<Ban>> {
    return this.#call('bans', page)
  }

  changesSince(position: Position | undefined): Promise<Changes> {
    return this.#call('changesSince', position)
  }

  addTotals(batch: TotalsBatch): Promise<void> {
    return this.#call('addTotals', batch)
  }

  async close(): Promise<void> {
    if (this.#worker === undefined) return
    await this.#call('close')
    await this.#worker?.terminate()
  }

  #call<Method extends keyof SqliteTables>(
    method: Method,
    ...args: Parameters<SqliteTables[Method]>
  ): Promise<Result<Method>> {
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#calls
    return new Promise<Result<Method>>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as Result<Method>), reject })
      worker.postMessage({ id, method, args, at: this.#now() } satisfies Call)
    })
  }

  #start(): Worker {
    const worker = new Worker(script, { workerData: { path: this.#path }, resourceLimits })
    worker.on('message', ({ id, value, fault }: Reply) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (fault === undefined) waiting?.resolve(value)
      else waiting?.reject(this.#errorOf(fault))
    })
    worker.on('error', (error) => this.#lost(worker, error))
    worker.on('exit', () => this.#lost(worker))
    return worker
  }

  /** The next call starts another thread. */
  #lost(worker: Worker, cause?: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(new LedgerAwayError(this.#path, { cause }))
    this.#waiting.clear()
  }

  #errorOf(fault: Fault): Error {
    if (fault.kind === 'full') return new LedgerFullError(fault.what, fault.most)
    if (fault.kind === 'too_new') return new LedgerTooNewError(this.#path, fault.version)
    if (fault.kind === 'file') return new LedgerFileError(this.#path, fault.reason)
    return new LedgerAwayError(this.#path, { cause: new Error(fault.reason) })
  }
}
