import type { NewItemKey } from './key-port.ts'

/** Where one upload or transfer writes until it is committed; files are numbered in item order. */
export interface Staging {
  readonly folder: string
  /** The files themselves, when they are few and small: then there is nothing at `filePath`. */
  readonly bytes?: readonly Uint8Array[]
  filePath(index: number): string
  /** Set when its files have other names, which go after the commit. */
  shared?: boolean
  /** Removes the folder and everything in it. Safe to call twice and after a commit. */
  discard(): Promise<void>
}

/** Whether the storage folder is the library's own: `missing` is an empty mount point, `foreign` another's disk. */
export type StorageState = 'here' | 'missing' | 'foreign'

/** A blob to read from; it may be open for others too. */
export interface OpenBlob {
  /** Reads up to `length` bytes from `position` on. @returns how many; 0 where it ends */
  read(target: Buffer, length: number, position: number): Promise<number>
  close(): Promise<void>
}

export interface CommitOptions {
  /** Whether a new item waits from then on in `descriptions`. */
  describe?: boolean
  /** Of an encrypted item. */
  key?: NewItemKey
  /** Called as the item comes to be in the catalog, before anybody else has a turn. */
  committed?: () => void
}

/** Hashes a whole file off the main thread. @returns its SHA-256 in hex and its size in bytes */
export type Digest = (path: string, signal?: AbortSignal) => Promise<{ sha256: string; size: number }>
