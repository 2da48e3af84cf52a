import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

const HASH_BYTES = 20

/** An infohash that is looked for in many sets of one bucket. */
export interface SearchedHash {
  /** The 4 bytes after the first, big-endian. */
  prefix: number
  /** All 20, made when they are first asked for. */
  bytes(): Uint8Array
}

export function searched(infoHash: string): SearchedHash {
  let all: Uint8Array | undefined
  return { prefix: prefixOf(infoHash), bytes: () => (all ??= hexToBytes(infoHash)) }
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
    for (const [i, hash] of sorted.entries()) {
      this.#bytes.set(hexToBytes(hash), i * HASH_BYTES)
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
