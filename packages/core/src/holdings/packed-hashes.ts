import { bytesToHex } from '@noble/hashes/utils.js'
import { HASH_BYTES, hashBytes, writeHash } from './hash-bytes.ts'

/** The 4 bytes after the first, big-endian. */
export function prefixOf(infoHash: string): number {
  const bytes = hashBytes(infoHash)
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0
}

/** A fixed set of infohashes at 24 bytes each. */
export class PackedHashes {
  static readonly none: PackedHashes = new PackedHashes([])
  readonly size: number
  readonly #bytes: Uint8Array
  /** The 4 bytes after the first of each: searches compare numbers, and nearly never more. */
  readonly #prefixes: Uint32Array

  /** @param sorted 40 hex digits each, in ascending order */
  static of(sorted: readonly string[]): PackedHashes {
    return sorted.length === 0 ? PackedHashes.none : new PackedHashes(sorted)
  }

  private constructor(sorted: readonly string[]) {
    this.size = sorted.length
    this.#bytes = new Uint8Array(sorted.length * HASH_BYTES)
    this.#prefixes = new Uint32Array(sorted.length)
    for (let i = 0; i < sorted.length; i++) {
      const hash = sorted[i]!
      writeHash(hash, this.#bytes, i * HASH_BYTES)
      this.#prefixes[i] = prefixOf(hash)
    }
  }

  /**
   * Infohashes are spread evenly, so that the search begins where this one should lie and widens from there.
   * @param prefix its `prefixOf`, which is the same for all sets of a bucket
   */
  has(infoHash: string, prefix: number): boolean {
    const prefixes = this.#prefixes
    let low = 0
    let high = prefixes.length - 1
    let middle = Math.trunc((prefix / 2 ** 32) * prefixes.length)
    let step = 2
    while (low <= high) {
      const order = prefixes[middle]! - prefix || this.#compare(middle, hashBytes(infoHash))
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle - 1
      middle = order < 0 ? middle + step : middle - step
      step *= 2
      if (middle < low || middle > high || step > 64) middle = (low + high) >>> 1
    }
    return false
  }

  /** `prefixOf` each, ascending. */
  prefixes(): Readonly<Uint32Array> {
    return this.#prefixes
  }

  /** The infohashes that are in one of two sets of a bucket only. */
  *differences(other: PackedHashes): Generator<string> {
    for (let [i, j] = [0, 0]; i < this.size || j < other.size;) {
      const order = i >= this.size ? 1 : j >= other.size ? -1 : this.#order(i, other, j)
      if (order < 0) yield this.#at(i)
      else if (order > 0) yield other.#at(j)
      if (order <= 0) i++
      if (order >= 0) j++
    }
  }

  #order(index: number, other: PackedHashes, at: number): number {
    const order = this.#prefixes[index]! - other.#prefixes[at]!
    return order || this.#compare(index, other.#bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
  }

  #at(index: number): string {
    return bytesToHex(this.#bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES))
  }

  #compare(index: number, hash: Readonly<Uint8Array>): number {
    const start = index * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) {
      const difference = this.#bytes[start + i]! - hash[i]!
      if (difference !== 0) return difference
    }
    return 0
  }
}
