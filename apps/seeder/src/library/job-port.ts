/** A copy that is to be made here. Times in milliseconds since 1970. */
export interface JobRecord {
  infoHash: string
  /** `new`: a copy that the network never had; `repair`: one in place of a copy that it lost. */
  lane: 'new' | 'repair'
  addedAt: number
  /** Tries that failed. */
  attempts: number
  /** It is not tried before. */
  notBefore: number
  /** Why the last try failed. */
  reason?: { code: string; detail: string }
}

/**
 * What is to be fetched, over restarts. Changes are kept in memory and written together, at the latest on close: what a
 * crash or a full disk takes is found again by comparing what is wanted with what is held, and loses its count of tries at most.
 */
export interface JobStore {
  all(): JobRecord[]
  put(job: JobRecord): void
  delete(infoHash: string): void
  /**
   * Writes what is kept in memory: the earliest changes, when no more than `most` are wanted at a time. `put` and
   * `delete` never write, so that neither fails.
   * @throws when the disk takes nothing; what was to be written is kept
   */
  flush(most?: number): void
  /** Milliseconds since 1970 since when this node gives all it has away; `undefined` when it does not. */
  drainingSince(): number | undefined
  /** Durable when it returns. */
  setDraining(since: number | undefined): void
}
