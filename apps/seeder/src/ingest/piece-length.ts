const smallest = 16 * 1024
const largest = 16 * 1024 * 1024
const pieces = 2048

/** The smallest power of two >= size / 2048, within 16 KiB and 16 MiB. Sizes in bytes. */
export function pieceLengthOf(size: number): number {
  let length = smallest
  while (length < largest && length * pieces < size) length *= 2
  return length
}

/** The most bytes for which `pieceLength` is the right one. */
export function mostBytesOf(pieceLength: number): number {
  return pieceLength === largest ? Infinity : pieceLength * pieces
}
