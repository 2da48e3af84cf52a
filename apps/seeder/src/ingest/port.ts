import type { ItemFile } from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import type { RunningHash } from './running-hash.ts'

/** One file as it arrives. `path` may carry folders; `bytes` is read once, with backpressure. */
export interface IncomingFile {
  path: string
  bytes: AsyncIterable<Uint8Array>
  /** Where they lie already, on the disk of the library or not: there they are given a second name instead of copied. */
  lies?: { at: string; size: number }
}

/** How an item's bytes are encrypted while they are read, before any touches the disk: each file becomes an age file. */
export interface Sealing {
  /** For the next file: what its age file begins with (header and nonce), and the key of its payload. */
  begin(): Promise<{ head: Uint8Array; key: Uint8Array }>
  /** Given every file of the item, may ask for one more to be encrypted and stored behind them. */
  epilogue(plain: PlainItem): Uint8Array | undefined
  /** What the item and its files are called where they are stored; the path of an epilogue is empty. */
  rename(name: string, paths: readonly string[]): { name: string; paths: string[] }
}

/** What was encrypted, as it came. */
export interface PlainItem {
  name: string
  size: number
  files: ItemFile[]
  /** As `Ingested.sha256`, of these files. */
  sha256: string
}

export interface IngestOptions {
  sealing?: Sealing
  /**
   * The item's name. Without it: the one file's own name, the first folder that all files share, or else the name of
   * the first file, as create-torrent has it. A first folder that all files share is never part of their paths.
   */
  name?: string
  /** What `Ingested.sha256` must be, or that of the bytes before they were encrypted. */
  sha256?: string
  /** Of an item of one file that lies somewhere: its bytes were hashed as they came. */
  hashed?: RunningHash
  /** The media type that the publisher takes an item of one file for. */
  declaredType?: string
  /** Bytes announced by the client, from which the piece length is foreseen; a wrong guess costs a second pass. */
  expectedSize?: number
  /**
   * Nobody else has the chunks, so that the memory of each is freed as soon as it was read: it is detached. Left to the
   * garbage collector, the chunks of 1 GiB cost about as much processor time as SHA-1 of the same bytes.
   */
  disposable?: boolean
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
  /** A bencoded dictionary of `info` alone; `torrentFile` adds what depends on the node. */
  metainfo: Uint8Array
  /** What the files were before they were encrypted. */
  plain?: PlainItem
}

/** Bytes of a torrent that was made elsewhere, in staging. */
export interface Foreign {
  infoHash: string
  name: string
  pieceLength: number
  /** SHA-1 of each piece, one after the other. */
  pieces: Uint8Array
  /** In torrent order. */
  files: { path: string; size: number }[]
  metainfo: Uint8Array
}

export interface Ingest {
  /**
   * Reads every file once: SHA-1 pieces, SHA-256, size and media type are computed while the bytes are written.
   * On any failure the staging folder is gone before the error is thrown, and files not yet read are not read.
   * @throws TypeMismatchError, EmptyFileError, EmptyItemError, DigestMismatchError, InvalidInputError (names), DiskFullError, ItemTooLargeError; the abort
   * reason when aborted; what `files` or `bytes` throw
   */
  receive(files: AsyncIterable<IncomingFile>, options: IngestOptions): Promise<Ingested>
  /** Hashes a file of so many bytes as they come, to be ingested later. Whoever has it ends it. */
  follow(size: number): RunningHash
  /**
   * Reads every staged file of a torrent whose layout is not ours to choose, and finds SHA-256 and media type while the
   * pieces are checked. The staging folder stays its caller's, whatever happens.
   * @throws ForeignBytesError when they are not the torrent's; the abort reason when aborted
   */
  adopt(staging: Staging, foreign: Foreign, signal?: AbortSignal): Promise<Ingested>
}
