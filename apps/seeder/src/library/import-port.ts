/** `queued` and `running` are unfinished: they go on after a restart. */
export type ImportState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface NewImport {
  /** Opaque, and not to be guessed. */
  id: string
  owner: string
  /** The id of the token that asked; absent for the operator's. */
  token?: string
  /** What `source` is. */
  kind: string
  source: string
  /** JSON: what was said of the item. */
  options: string
}

/** How an import ended. */
export interface ImportEnd {
  state: 'done' | 'failed' | 'cancelled'
  infoHash?: string
  error?: { code: string; detail: string }
  /** Received. */
  bytes: number
}

export interface ImportRecord extends NewImport, Partial<Omit<ImportEnd, 'state' | 'bytes'>> {
  state: ImportState
  bytes: number
  /** How often it was begun. */
  attempts: number
  /** Milliseconds since 1970. */
  createdAt: number
  changedAt: number
}

/** Imports, asked for and finished. Each change is durable when its method returns or resolves. */
export interface ImportStore {
  add(record: NewImport, now: number): Promise<void>
  get(id: string): ImportRecord | undefined
  /** Newest first, of one owner or of all. @throws InvalidInputError for a cursor it did not make */
  list(options: { owner?: string; cursor?: string; limit: number }): { imports: ImportRecord[]; nextCursor?: string }
  /** Those that are queued or running, oldest first; of one token or of all. */
  unfinished(token?: string): { id: string; owner: string }[]
  /** @returns how often it was begun, with this time */
  begin(id: string, now: number): number
  /** Queued again, to be begun once more. */
  putOff(id: string, error: ImportEnd['error'], now: number): void
  /** A source that holds more than an address is forgotten; `source` is what is left of it. */
  end(id: string, end: ImportEnd, now: number, source?: string): void
  remove(id: string): void
  /** Forgets finished ones but for the latest `keep`. */
  prune(keep: number): void
}
