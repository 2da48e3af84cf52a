import { keyHash } from './key-hash.ts'

/** Pairs that an index begins with. */
const fewest = 256

/** A pair of an old index whose record is in the new one by now, or gone. */
const left = -1

/** Pairs of an old index that each new record brings over. */
const perInsert = 8

/**
 * Records of some 32-bit words, each found by the first of them, its key, in one probe or a few. A place is a number from
 * 0. Memory for the records is reserved at the start, and the system provides it page by page as places are used. The index
 * doubles as they grow, a few pairs with each, so that nobody waits for it, and a few records take a few pages.
 */
export class KeyTable {
  readonly capacity: number
  /** The record of place p begins at `p * width`. */
  readonly records: Int32Array
  readonly width: number
  readonly #keyWidth: number
  // Pairs: a hash, and its place + 1 or 0.
  #index: Int32Array
  #mask: number
  // What is not in the index yet, from a pair on.
  #old: Int32Array | undefined
  #moved = 0
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
    const pairs = Math.min(fewest, 2 ** Math.ceil(Math.log2(Math.max(16, capacity * 1.5))))
    this.#index = new Int32Array(2 * pairs)
    this.#mask = 2 * pairs - 2
    this.#low = (random() * 2 ** 32) | 0
    this.#high = (random() * 2 ** 32) | 0
  }

  get size(): number {
    return this.#size
  }

  /** Places from this one on were never taken. */
  get end(): number {
    return this.#fresh
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
      if (place < 0) return this.#old === undefined ? -1 : this.#findOld(this.#old, key, hash)
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
    this.#size++
    if (this.#size * 3 > this.#index.length) this.#grow()
    if (this.#old !== undefined) this.#bringOver(this.#old, perInsert)
    this.#put(keyHash(this.#low, this.#high, key, this.#keyWidth), place)
    return place
  }

  /** Every place that is taken, in no order. */
  forEach(visit: (place: number) => void): void {
    for (const index of [this.#index, this.#old ?? []]) {
      for (let at = 1; at < index.length; at += 2) {
        const place = (index[at] as number) - 1
        if (place >= 0) visit(place)
      }
    }
  }

  /** Gives a place back. */
  remove(place: number): void {
    const start = place * this.width
    const key = this.records.subarray(start, start + this.#keyWidth)
    const hash = keyHash(this.#low, this.#high, key, this.#keyWidth)
    if (!this.#unindex(hash, place)) this.#unindexOld(hash, place)
    this.records[start] = this.#freed
    this.#freed = place
    this.#size--
  }

  #put(hash: number, place: number): void {
    const index = this.#index
    let at = (hash << 1) & this.#mask
    while (index[at + 1] !== 0) at = (at + 2) & this.#mask
    index[at] = hash
    index[at + 1] = place + 1
  }

  #grow(): void {
    // The last time is long over: each new record has brought more pairs over than there are to each.
    if (this.#old !== undefined) this.#bringOver(this.#old, this.#old.length)
    this.#old = this.#index
    this.#moved = 0
    this.#index = new Int32Array(2 * this.#old.length)
    this.#mask = this.#index.length - 2
  }

  #bringOver(old: Int32Array, pairs: number): void {
    const end = Math.min(old.length, this.#moved + 2 * pairs)
    for (; this.#moved < end; this.#moved += 2) {
      const place = (old[this.#moved + 1] as number) - 1
      if (place < 0) continue
      this.#put(old[this.#moved] as number, place)
      old[this.#moved + 1] = left
    }
    if (end === old.length) this.#old = undefined
  }

  #findOld(old: Int32Array, key: Int32Array, hash: number): number {
    const { records, width } = this
    const mask = old.length - 2
    for (let at = (hash << 1) & mask; old[at + 1] !== 0; at = (at + 2) & mask) {
      if (old[at + 1] === left || old[at] !== hash) continue
      const place = (old[at + 1] as number) - 1
      let word = 0
      while (word < this.#keyWidth && records[place * width + word] === key[word]) word++
      if (word === this.#keyWidth) return place
    }
    return -1
  }

  /** @returns whether it was in the index */
  #unindex(hash: number, place: number): boolean {
    const index = this.#index
    const mask = this.#mask
    let hole = (hash << 1) & mask
    for (; index[hole + 1] !== place + 1; hole = (hole + 2) & mask) if (index[hole + 1] === 0) return false
    // Entries behind the hole move up unless that would put them before the place where their search begins.
    for (let at = (hole + 2) & mask; index[at + 1] !== 0; at = (at + 2) & mask) {
      const home = ((index[at] as number) << 1) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      index[hole] = index[at] as number
      index[hole + 1] = index[at + 1] as number
      hole = at
    }
    index[hole + 1] = 0
    return true
  }

  #unindexOld(hash: number, place: number): void {
    const old = this.#old
    if (old === undefined) return
    const mask = old.length - 2
    let at = (hash << 1) & mask
    while (old[at + 1] !== place + 1) at = (at + 2) & mask
    old[at + 1] = left
  }
}
