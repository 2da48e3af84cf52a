/** Bytes of an infohash. */
export const HASH_BYTES = 20

/** @param infoHash 40 hex digits */
export function hashBytes(infoHash: string): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES)
  writeHash(infoHash, bytes, 0)
  return bytes
}

/** Four bytes at a time, which takes a fraction of what looking at each digit does. */
export function writeHash(infoHash: string, target: Uint8Array, start: number): void {
  for (let i = 0; i < HASH_BYTES; i += 4) {
    const word = Number.parseInt(infoHash.slice(2 * i, 2 * i + 8), 16)
    target[start + i] = word >>> 24
    target[start + i + 1] = word >>> 16
    target[start + i + 2] = word >>> 8
    target[start + i + 3] = word
  }
}
