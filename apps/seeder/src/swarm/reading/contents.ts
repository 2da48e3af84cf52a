import type { Proofs } from './proofs.ts'

/** Where the bytes of one torrent come from. */
export interface ByteSource {
  /** Rises with each change that is seen of a file, from 0 before the first look at any. */
  readonly moment: number
  /**
   * Fills the targets one after the other with the bytes from `offset` on.
   * @returns the moment since when none of the files read from changed; infinite when that cannot be told
   */
  readInto(offset: number, targets: readonly Uint8Array[]): Promise<number>
}

/** A piece, by its number and its bytes within the torrent. */
export interface Piece {
  index: number
  offset: number
  size: number
  /** SHA-1, in hex. */
  hash: string
}

/** One torrent as its pieces are read and checked. */
export interface Contents {
  readonly infoHash: string
  readonly source: ByteSource
  readonly proofs: Proofs
  piece(index: number): Piece
  /** Told once for each time that a piece was read and is not what it has to be. */
  bad(index: number): void
  /** Whether the disk with the files is there: what cannot be read is wrong only then. */
  isHere(): Promise<boolean>
  /** Told of whatever else kept a piece from being read: a file that is missing or too short, say. */
  failed(error: unknown): void
}
