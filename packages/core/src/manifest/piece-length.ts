const SMALLEST = 16 * 1024
const LARGEST = 16 * 1024 * 1024
const PIECES = 2048

/** An item's piece length in bytes: the smallest power of two >= size / 2048, within 16 KiB and 16 MiB. */
export function pieceLengthOf(size: number): number {
  let length = SMALLEST
  while (length < LARGEST && length * PIECES < size) length *= 2
  return length
}

/** The most bytes of an item for which a piece length is the right one. */
export function mostBytesOf(pieceLength: number): number {
  return pieceLength === LARGEST ? Infinity : pieceLength * PIECES
}
