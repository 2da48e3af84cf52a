import type { IncomingFile } from '../ingest/index.ts'
import type { Item, UploadMetadata, UploadRecord, Usage } from '../library/index.ts'
import type { Upload } from '../publishing/index.ts'

/** What is said of the item, by whoever may say so. */
export type Wanted = Omit<Upload, 'signal' | 'expectedSize' | 'disposable' | 'hashed'>

export interface Begun {
  /** Bytes; absent while the client does not know. */
  size?: number
  metadata: UploadMetadata
  /** Of whoever begins it; none for the operator's own. */
  token?: string
  wanted: Wanted & { name: string }
}

/** Uploads that survive bad networks and restarts: once the last byte is there, the item will be published. */
export interface ResumableUploads {
  /** Milliseconds without a byte after which an upload is forgotten. */
  readonly expireAfter: number
  /** Durable when it resolves. @throws TooManyUploadsError; what quotas and the disk say */
  begin(upload: Begun): Promise<UploadRecord>
  /** @throws UploadNotFoundError */
  get(id: string): UploadRecord
  /**
   * Appends to what is there; what arrived before an error is kept.
   * @returns how many bytes are safely there. @throws UploadNotFoundError; what `source` throws
   */
  append(id: string, source: AsyncIterable<Uint8Array>): Promise<number>
  declareSize(id: string, size: number): Promise<void>
  /** What an owner's uploads have or will have, those being published left out; without an owner those of everybody. */
  waiting(owner?: string): Usage
  /**
   * Publishes an upload that is whole; asked for twice, both get the same. Also done without asking after a restart.
   * @returns the infohash. @throws UploadFailedError, now and later; what passes, such as a full disk, is tried again
   */
  finish(id: string): Promise<string>
  /** Ends it and removes its bytes; an item that it became stays. */
  remove(id: string): Promise<void>
  /** Ends those that were begun with a token, but for what is an item already: it was revoked. */
  revoke(token: string): Promise<void>
}

/** Publishes one file. */
export type PublishUpload = (files: AsyncIterable<IncomingFile>, upload: Upload) => Promise<{ item: Item }>
