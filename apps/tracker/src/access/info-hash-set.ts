import { keyHash, KeyTable } from '../swarm/index.ts'
import type { Listing } from './port.ts'

const words = 5
const parts = 256
const smallest = 16

/**
 * Infohashes by the million, at most some 70 bytes each. It grows one small part at a time, so that nobody waits for it;
 * which part holds what depends on a secret, so that nobody can fill one alone.
 */
export class InfoHashSet implements Listing {
  #parts: (KeyTable | undefined)[] = Array.from({ length: parts })
  #size = 0
  #additions = 0
  #removals = 0
  readonly #random: () => number
  #low: number
  #high: number

  /** @param random from 0 to below 1, unforeseeable */
  constructor(random: () => number) {
    this.#random = random
    this.#low = (random() * 2 ** 32) | 0
    this.#high = (random() * 2 ** 32) | 0
  }

  get size(): number {
    return this.#size
  }

  /** How often something was added since the start, and removed; what was replaced counts as both. */
  get additions(): number {
    return this.#additions
  }

  get removals(): number {
    return this.#removals
  }

  has(infoHash: Int32Array): boolean {
    if (this.#size === 0) return false
    const part = this.#parts[this.#partOf(infoHash)]
    return part !== undefined && part.find(infoHash) !== -1
  }

  add(infoHash: Int32Array): boolean {
    const which = this.#partOf(infoHash)
    let part = (this.#parts[which] ??= this.#table(smallest))
    if (part.find(infoHash) !== -1) return false
    if (part.size === part.capacity) {
      part = this.#grown(part)
      this.#parts[which] = part
    }
    part.insert(infoHash)
    this.#size++
    this.#additions++
    return true
  }

  remove(infoHash: Int32Array): boolean {
    const part = this.#parts[this.#partOf(infoHash)]
    const place = part?.find(infoHash) ?? -1
    if (part === undefined || place === -1) return false
    part.remove(place)
    this.#size--
    this.#removals++
    return true
  }

  /** Holds from now on what another one holds, which must not be changed any more. */
  replaceWith(other: InfoHashSet): void {
    this.#parts = other.#parts
    this.#size = other.#size
    this.#additions++
    this.#removals++
    this.#low = other.#low
    this.#high = other.#high
  }

  #partOf(infoHash: Int32Array): number {
    return keyHash(this.#low, this.#high, infoHash, words) & (parts - 1)
  }

  #grown(part: KeyTable): KeyTable {
    const larger = this.#table(part.capacity * 2)
    part.forEach((place) => larger.insert(part.records.subarray(place * words, (place + 1) * words)))
    return larger
  }

  #table(capacity: number): KeyTable {
    return new KeyTable(capacity, words, words, this.#random)
  }
}
