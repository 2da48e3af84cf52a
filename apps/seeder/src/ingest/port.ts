import type { ItemFile } from '@eldernode/core'
import type { Staging } from '../library/index.ts'

/** One file as it arrives. `path` may carry folders; `bytes` is read once, with backpressure. */
export interface IncomingFile {
  path: string
  bytes: AsyncIterable<Uint8Array>
}

export interface IngestOptions {
  /** The item's name; without it a single file's own name, or the first folder that all files share. */
  name?: string
  /** Bytes announced by the client, from which the piece length is foreseen; a wrong guess costs a second pass. */
  expectedSize?: number
  signal?: AbortSignal
}

/** Bytes in a staging folder, verified and described, ready for `library.commit`. */
export interface Ingested {
  staging: Staging
  name: string
  size: number
  pieceLength: number
  files: ItemFile[]
  sha256: string
  infoHash: string
  metainfo: Uint8Array
}

export interface Ingest {
  /**
   * Reads every file once: SHA-1 pieces, SHA-256, size and media type are computed while the bytes are written.
   * On any failure the staging folder is gone before the error is thrown.
   * @throws EmptyFileError, EmptyItemError, InvalidInputError (names), DiskFullError, ItemTooLargeError
   */
  receive(files: AsyncIterable<IncomingFile>, options: IngestOptions): Promise<Ingested>
  close(): Promise<void>
}
