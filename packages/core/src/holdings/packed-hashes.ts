import { bytesToHex } from '@noble/hashes/utils.js'
import { HASH_BYTES, hashBytes, writeHash } from './hash-bytes.ts'

/** An infohash that is looked for in many sets of one bucket. */
export interface SearchedHash {
  /** The 4 bytes after the first, big-endian. */
  prefix: number
  /** All 20, made when they are first asked for. */
  bytes(): Uint8Array
}

export function searched(infoHash: string): SearchedHash {
  let all: Uint8Array | undefined
  return { prefix: prefixOf(infoHash), bytes: () => (all ??= hashBytes(infoHash)) }
}

function prefixOf(infoHash: string): number {
  return Number.parseInt(infoHash.slice(2, 10), 16)
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

  has({ prefix, bytes }: SearchedHash): boolean {
    const prefixes = this.#prefixes
    let low = 0
    let high = prefixes.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const order = prefixes[middle]! - prefix || this.#compare(middle, bytes())
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return false
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

  #compare(index: number, hash: Uint8Array): number {
    const start = index * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) {
      const difference = this.#bytes[start + i]! - hash[i]!
      if (difference !== 0) return difference
    }
    return 0
  }
}
