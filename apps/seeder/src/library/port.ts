import type { ItemFile, NodeId, Replicas } from '@eldernode/core'

/** One published item that this node holds whole: every byte is on disk and was verified. */
export interface Item {
  infoHash: string
  name: string
  /** Bytes of all files together. */
  size: number
  pieceLength: number
  files: ItemFile[]
  /** SHA-256 of the bytes, or of the canonical `[path, size, sha256]` list when there is more than one file. */
  sha256: string
  publisher: NodeId
  replicas: Replicas
  /** Milliseconds since 1970. */
  createdAt: number
  /** `retracted` items are not served; their bytes go after `purgeAfter`. */
  state: 'live' | 'retracted'
  purgeAfter?: number
}

/** Where one upload or transfer writes until it is committed; files are numbered in item order. */
export interface Staging {
  readonly folder: string
  filePath(index: number): string
  /** Removes the folder and everything in it. Safe to call twice and after a commit. */
  discard(): Promise<void>
}

/** One file of an item held, and what serving it needs to know of the item. */
export interface HeldFile {
  /** The item's. */
  infoHash: string
  name: string
  createdAt: number
  state: Item['state']
  /** Whether the item has no other file. */
  alone: boolean
  /** Absent when the item has no file of that path. */
  file: ItemFile | undefined
}

export interface Page {
  items: Item[]
  /** Opaque; give it back as `cursor` for the next page. Absent on the last one. */
  nextCursor?: string
}

/** Hashes a whole file off the main thread. @returns its SHA-256 in hex and its size in bytes */
export type Digest = (path: string, signal?: AbortSignal) => Promise<{ sha256: string; size: number }>

/**
 * What this node holds. Bytes lie in content-addressed blobs, so no foreign name ever becomes a path on disk.
 *
 * A blob whose size or modification time is not what the catalog remembers makes every item with it _suspect_: none of
 * the methods below shows such an item until `verify` has hashed the blob again. A missing or wrong blob makes them
 * _damaged_: they are not held, their sound blobs are kept, and a commit of the same infohash makes them whole again.
 */
export interface Library {
  /** A fresh folder on the blobs' file system. Leftovers of a crash are swept when the library opens. */
  stage(): Promise<Staging>
  /**
   * Makes staged bytes an item: fsync, rename each file into the blobs, fsync the folders, then one transaction.
   * When it resolves the item survives a crash, and the staging folder is gone; it is gone on failure too.
   * An infohash already held, live or retracted, is returned as it is, and nothing is stored.
   * The caller has verified the bytes: sizes are compared, nothing is hashed.
   * @throws StagingMismatchError when a staged file is missing or of another size; DiskFullError
   */
  commit(staging: Staging, item: Item, metainfo: Uint8Array): Promise<{ item: Item; created: boolean }>
  get(infoHash: string): Item | undefined
  /** The oldest live item with that content. */
  bySha256(sha256: string): Item | undefined
  /**
   * The file at `path` of the item with that infohash or SHA-256, or its first file without `path`. Its blob is checked
   * as by `check`, it alone, so that the cost does not grow with the number of files.
   * @returns `undefined` when the item is not held
   */
  file(id: string, path?: string): HeldFile | undefined
  /** Live items, newest first by `createdAt`. @throws InvalidInputError for a cursor it did not make */
  list(options: { cursor?: string; limit: number }): Page
  /** Every item held, retracted ones included, in infohash order, read in pages. */
  all(): Iterable<Item>
  /** The .torrent file's bytes. */
  metainfo(infoHash: string): Uint8Array | undefined
  /** The absolute path of a blob. @throws InvalidInputError for anything but 64 lower-case hex digits */
  blobPath(sha256: string): string
  /** @throws UnknownItemError */
  retract(infoHash: string, purgeAfter: number): void
  /** @throws UnknownItemError */
  restore(infoHash: string): void
  /** Forgets an item and removes the blobs no other item needs. An unknown infohash is no error. */
  remove(infoHash: string): Promise<void>
  /** Retracted items whose `purgeAfter` is not later than `now`. */
  purgeable(now: number): Item[]
  /** Removes an item, held or not, if it is retracted and its `purgeAfter` is not later than `now`. @returns whether it was */
  purge(infoHash: string, now: number): Promise<boolean>
  /** The earliest `purgeAfter` of a retracted item. */
  nextPurge(): number | undefined
  /** Remembers that no copy of an item is wanted here before `until`, and forgets what was refused until `now`. */
  refuse(infoHash: string, until: number, now: number): void
  forgive(infoHash: string): void
  /** What is refused beyond `now`. */
  refused(now: number): { infoHash: string; until: number }[]
  /**
   * Compares size and modification time of the item's blobs with the catalog, without reading them.
   * @returns whether it is held; an item with a changed blob is suspect from here on
   */
  check(infoHash: string): boolean
  /** Infohashes that wait for `verify`, found when the library opened or by `check`. */
  suspects(): string[]
  /** Infohashes whose bytes are lost here, wholly or in part: to be fetched again or removed. */
  damaged(): string[]
  /**
   * Hashes blobs of one item again: the changed ones, or `all`. A wrong one is moved to `<data>/quarantine`.
   * @returns whether the item is held now
   */
  verify(infoHash: string, options?: { all?: boolean; signal?: AbortSignal }): Promise<boolean>
  /** Kept up to date by each change, never counted. `items`: live ones; `bytes`: of all blobs, each counted once. */
  totals(): { items: number; bytes: number }
  /** Gives the data folder free. Nothing else may be called afterwards. */
  close(): void
}
