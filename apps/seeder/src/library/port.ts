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

export interface Page {
  items: Item[]
  /** Opaque; give it back as `cursor` for the next page. Absent on the last one. */
  nextCursor?: string
}

/** What this node holds. Bytes lie in content-addressed blobs, so no foreign name ever becomes a path on disk. */
export interface Library {
  /** A fresh folder on the blobs' file system. Leftovers of a crash are swept when the library opens. */
  stage(): Promise<Staging>
  /**
   * Makes staged bytes an item: fsync, rename each file into the blobs, fsync the folders, then one transaction.
   * When it resolves the item survives a crash. An infohash already held is returned as it is, and nothing is stored.
   */
  commit(staging: Staging, item: Item, metainfo: Uint8Array): Promise<{ item: Item; created: boolean }>
  get(infoHash: string): Item | undefined
  /** The oldest live item with that content. */
  bySha256(sha256: string): Item | undefined
  /** Live items, newest first. @throws InvalidInputError for a cursor it did not make */
  list(options: { cursor?: string; limit: number }): Page
  /** Every item, in infohash order, read in pages. */
  all(): Iterable<Item>
  /** The .torrent file's bytes. */
  metainfo(infoHash: string): Uint8Array | undefined
  /** The absolute path of a blob; only SHA-256 names are accepted. */
  blobPath(sha256: string): string
  retract(infoHash: string, purgeAfter: number): void
  restore(infoHash: string): void
  /** Forgets an item and removes the blobs no other item needs. */
  remove(infoHash: string): Promise<void>
  /** Retracted items whose `purgeAfter` is not later than `now`. */
  purgeable(now: number): Item[]
  totals(): { items: number; bytes: number }
  close(): void
}
