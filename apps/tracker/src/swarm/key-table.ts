import { keyHash } from './key-hash.ts'

/**
 * Records of some 32-bit words, each found by the first of them, its key, in one probe or a few. A place is a number from
 * 0. All memory is reserved at the start and the system provides it page by page as places are used, so nothing is ever
 * copied or hashed again as it grows.
 */
export class KeyTable {
  readonly capacity: number
  /** The record of place p begins at `p * width`. */
  readonly records: Int32Array
  readonly width: number
  readonly #keyWidth: number
  // Pairs: a hash, and its place + 1 or 0.
  readonly #index: Int32Array
  readonly #mask: number
  readonly #low: number
  readonly #high: number
  #fresh = 0
  #freed = -1
  #size = 0

  constructor(capacity: number, keyWidth: number, width: number, random: () => number) {
    this.capacity = capacity
    this.width = width
    this.#keyWidth = keyWidth
    this.records = new Int32Array(capacity * width)
    const pairs = 2 ** Math.ceil(Math.log2(Math.max(16, capacity * 1.5)))
    this.#index = new Int32Array(2 * pairs)
    this.#mask = 2 * pairs - 2
    this.#low = (random() * 2 ** 32) | 0
    this.#high = (random() * 2 ** 32) | 0
  }

  get size(): number {
    return this.#size
  }

  /** The place of a key, or -1. */
  find(key: Int32Array): number {
    const { records, width } = this
    const keyWidth = this.#keyWidth
    const index = this.#index
    const mask = this.#mask
    const hash = keyHash(this.#low, this.#high, key, keyWidth)
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const place = (index[at + 1] as number) - 1
      if (place < 0) return -1
      if (index[at] !== hash) continue
      const from = place * width
      let word = 0
      while (word < keyWidth && records[from + word] === key[word]) word++
      if (word === keyWidth) return place
    }
  }

  /** Takes a place for a key that is not there yet, the rest of its record zero; -1 when every place is taken. */
  insert(key: Int32Array): number {
    const { records, width } = this
    let place = this.#freed
    if (place >= 0) this.#freed = records[place * width] as number
    else if (this.#fresh < this.capacity) place = this.#fresh++
    else return -1
    records.set(key, place * width)
    records.fill(0, place * width + this.#keyWidth, (place + 1) * width)
    const hash = keyHash(this.#low, this.#high, key, this.#keyWidth)
    let at = (hash << 1) & this.#mask
    while (this.#index[at + 1] !== 0) at = (at + 2) & this.#mask
    this.#index[at] = hash
    this.#index[at + 1] = place + 1
    this.#size++
    return place
  }

  /** Every place that is taken, in no order. */
  forEach(visit: (place: number) => void): void {
    for (let at = 1; at < this.#index.length; at += 2) {
      const place = (this.#index[at] as number) - 1
      if (place >= 0) visit(place)
    }
  }

  /** Gives a place back. */
  remove(place: number): void {
    const index = this.#index
    const mask = this.#mask
    const start = place * this.width
    const key = this.records.subarray(start, start + this.#keyWidth)
    let hole = (keyHash(this.#low, this.#high, key, this.#keyWidth) << 1) & mask
    while (index[hole + 1] !== place + 1) hole = (hole + 2) & mask
    // Entries behind the hole move up unless that would put them before the place where their search begins.
    for (let at = (hole + 2) & mask; index[at + 1] !== 0; at = (at + 2) & mask) {
      const home = ((index[at] as number) << 1) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      index[hole] = index[at] as number
      index[hole + 1] = index[at + 1] as number
      hole = at
    }
    index[hole + 1] = 0
    this.records[start] = this.#freed
    this.#freed = place
    this.#size--
  }
}
