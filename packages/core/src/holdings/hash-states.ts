import { bytesToHex } from '@noble/hashes/utils.js'
import { HASH_BYTES, hashBytes } from './hash-bytes.ts'

/** A sorted map from infohashes to small numbers other than 0, at about 21 bytes an item. */
export class HashStates {
  #hashes = new Uint8Array(0)
  #states = new Uint8Array(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns 0 when there is none */
  get(infoHash: string): number {
    const at = this.#find(hashBytes(infoHash))
    return at < 0 ? 0 : this.#states[at]!
  }

  /** @param state 0 removes the item. @returns whether it was another before */
  set(infoHash: string, state: number): boolean {
    const hash = hashBytes(infoHash)
    const at = this.#find(hash)
    if (at >= 0 && this.#states[at] === state) return false
    if (at >= 0 && state !== 0) this.#states[at] = state
    else if (at >= 0) this.#remove(at)
    else if (state === 0) return false
    else this.#insert(~at, hash, state)
    return true
  }

  /** Infohashes and their states in ascending order. */
  *[Symbol.iterator](): Generator<[infoHash: string, state: number]> {
    for (let at = 0; at < this.#size; at++) {
      yield [bytesToHex(this.#hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)), this.#states[at]!]
    }
  }

  #insert(at: number, hash: Readonly<Uint8Array>, state: number): void {
    if (this.#size === this.#states.length) this.#grow()
    this.#hashes.copyWithin((at + 1) * HASH_BYTES, at * HASH_BYTES, this.#size * HASH_BYTES)
    this.#states.copyWithin(at + 1, at, this.#size)
    this.#hashes.set(hash, at * HASH_BYTES)
    this.#states[at] = state
    this.#size++
  }

  #remove(at: number): void {
    this.#hashes.copyWithin(at * HASH_BYTES, (at + 1) * HASH_BYTES, this.#size * HASH_BYTES)
    this.#states.copyWithin(at, at + 1, this.#size)
    this.#size--
  }

  #grow(): void {
    const room = Math.ceil(this.#size * 1.25) + 8
    const [hashes, states] = [new Uint8Array(room * HASH_BYTES), new Uint8Array(room)]
    hashes.set(this.#hashes)
    states.set(this.#states)
    this.#hashes = hashes
    this.#states = states
  }

  /** @returns where it is, or the complement of where it would be */
  #find(hash: Readonly<Uint8Array>): number {
    let low = 0
    let high = this.#size - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const order = this.#compare(middle, hash)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return ~low
  }

  #compare(index: number, hash: Readonly<Uint8Array>): number {
    const start = index * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) {
      const difference = this.#hashes[start + i]! - hash[i]!
      if (difference !== 0) return difference
    }
    return 0
  }
}
