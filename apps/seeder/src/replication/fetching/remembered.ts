import type { JobRecord, JobStore } from '../../library/index.ts'

export interface RememberedOptions {
  store?: Pick<JobStore, 'all' | 'put' | 'delete'> | undefined
  /** Told when the store failed. */
  fault?: ((error: unknown) => void) | undefined
}

/**
 * What waits, over restarts. What cannot be noted is found again after a restart, by comparing what is wanted with what is
 * held: no failure of the store reaches the caller.
 */
export class Remembered {
  readonly #options: RememberedOptions
  /** What an earlier run of the node left, until it is asked for again. */
  readonly #left = new Map<string, JobRecord>()

  constructor(options: RememberedOptions) {
    this.#options = options
    for (const job of options.store?.all() ?? []) this.#left.set(job.infoHash, job)
  }

  /** What an earlier run left of an item; asked once. */
  take(infoHash: string): JobRecord | undefined {
    const left = this.#left.get(infoHash)
    this.#left.delete(infoHash)
    return left
  }

  put(job: JobRecord): void {
    this.#note((store) => store.put(job))
  }

  delete(infoHash: string): void {
    this.#note((store) => store.delete(infoHash))
  }

  /** Forgets what an earlier run left and nobody asked for. */
  sweep(): void {
    for (const infoHash of this.#left.keys()) this.delete(infoHash)
    this.#left.clear()
  }

  #note(change: (store: Pick<JobStore, 'put' | 'delete'>) => void): void {
    const { store, fault } = this.#options
    if (store === undefined) return
    try {
      change(store)
    } catch (error) {
      fault?.(error)
    }
  }
}
