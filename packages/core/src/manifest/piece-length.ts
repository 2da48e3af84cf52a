const SMALLEST = 16 * 1024
const COMMON = 1024 * 1024
const LARGEST = 16 * 1024 * 1024

/** A browser spends 4 ms on each piece besides its bytes; what a viewer waits for is one piece. */
const PIECES_OF_SMALL = 256
/** Metainfo of 40 KB. */
const PIECES = 2048

/**
 * An item's piece length in bytes: the smallest power of two that makes 256 pieces at most, but 1 MiB at most unless
 * there would be more than 2,048; within 16 KiB and 16 MiB.
 */
export function pieceLengthOf(size: number): number {
  let length = SMALLEST
  while (mostBytesOf(length) < size) length *= 2
  return length
}

/** The most bytes of an item for which a piece length is the right one. */
export function mostBytesOf(pieceLength: number): number {
  if (pieceLength >= LARGEST) return Infinity
  return pieceLength * (pieceLength < COMMON ? PIECES_OF_SMALL : PIECES)
}
