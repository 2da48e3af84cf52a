import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

const HASH_BYTES = 20

/** A fixed set of infohashes at 20 bytes each. */
export class PackedHashes {
  static readonly none: PackedHashes = new PackedHashes([])
  readonly #bytes: Uint8Array

  /** @param sorted 40 hex digits each, in ascending order */
  static of(sorted: readonly string[]): PackedHashes {
    return sorted.length === 0 ? PackedHashes.none : new PackedHashes(sorted)
  }

  private constructor(sorted: readonly string[]) {
    this.#bytes = new Uint8Array(sorted.length * HASH_BYTES)
    for (const [i, hash] of sorted.entries()) this.#bytes.set(hexToBytes(hash), i * HASH_BYTES)
  }

  get size(): number {
    return this.#bytes.length / HASH_BYTES
  }

  /** @param hash the 20 bytes of an infohash */
  has(hash: Uint8Array): boolean {
    let low = 0
    let high = this.size - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const order = this.#compare(middle, hash)
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return false
  }

  *[Symbol.iterator](): Generator<string> {
    for (let at = 0; at < this.#bytes.length; at += HASH_BYTES) {
      yield bytesToHex(this.#bytes.subarray(at, at + HASH_BYTES))
    }
  }

  #compare(index: number, hash: Uint8Array): number {
    const start = index * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) {
      const difference = this.#bytes[start + i]! - hash[i]!
      if (difference !== 0) return difference
    }
    return 0
  }
}
