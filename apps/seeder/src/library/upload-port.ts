/** What a client says of an upload in its `Upload-Metadata`; null for a key without a value. */
export type UploadMetadata = Record<string, string | null>

export interface NewUpload {
  /** 32 hex digits. */
  id: string
  owner: string
  /** Of the token that it was begun with; none for the operator's own. */
  token?: string
  /** Bytes; absent while the client does not know. */
  size?: number
  metadata: UploadMetadata
  /** JSON of the item that is to be published. */
  wanted: string
  /** Of an item to be encrypted: what the bytes are hidden with until then. */
  secret?: Uint8Array
}

export interface UploadRecord extends NewUpload {
  /** Bytes that are safely on disk. */
  received: number
  /** Milliseconds since 1970. */
  changedAt: number
  /** `receiving` until all bytes are there and the item is published, or it turned out that it cannot be. */
  state: 'receiving' | 'published' | 'failed'
  infoHash?: string
  error?: { code: string; detail: string }
}

export type UploadEnd = { infoHash: string } | { error: { code: string; detail: string } }

/** Uploads that may be resumed. Each change is durable when it resolves. */
export interface UploadStore {
  add(upload: NewUpload, now: number): Promise<void>
  get(id: string): UploadRecord | undefined
  /** Says that so many bytes are safely on disk. */
  advance(id: string, received: number, now: number): Promise<void>
  declareSize(id: string, size: number, now: number): Promise<void>
  /** Forgets what was hidden and wanted; the outcome stays until it expires. */
  end(id: string, end: UploadEnd, now: number): Promise<void>
  remove(id: string): Promise<void>
  /** Not ended yet; without an owner those of everybody. */
  count(owner?: string): number
  /** Begun with that token, and not ended yet. */
  begunWith(token: string): string[]
  /** Bytes that uploads under way have, or said they will; without an owner those of everybody. */
  reservedBytes(owner?: string): number
  /** Whole, but not ended. */
  complete(): string[]
  /** Not changed since `before`, at most `limit`. */
  stale(before: number, limit: number): string[]
}
