/** Bytes of an infohash. */
export const HASH_BYTES = 20

/** The infohash that was read last, and its bytes. */
let read = ''
const bytes = new Uint8Array(HASH_BYTES)

/**
 * One item is looked for in many tables in a row, and to read its infohash costs more than a search.
 * @param infoHash 40 hex digits
 * @returns its bytes, to be read only, and only until another infohash is asked for
 */
export function hashBytes(infoHash: string): Readonly<Uint8Array> {
  if (infoHash === read) return bytes
  writeHash(infoHash, bytes, 0)
  read = infoHash
  return bytes
}

export function writeHash(infoHash: string, target: Uint8Array, start: number): void {
  for (let i = 0; i < HASH_BYTES; i++) {
    const high = valueOf[infoHash.charCodeAt(2 * i)]!
    const low = valueOf[infoHash.charCodeAt(2 * i + 1)]!
    target[start + i] = (high << 4) | low
  }
}

/** Of a hex digit by its code. */
const valueOf = new Uint8Array(128)
for (let value = 0; value < 16; value++) valueOf[value.toString(16).charCodeAt(0)] = value
