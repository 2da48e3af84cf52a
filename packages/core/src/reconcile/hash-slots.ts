import { HASH_BYTES, hashBytes } from '../holdings/index.ts'

/** In the table in place of a slot's number plus one. */
const free = 0

const digits = '0123456789abcdef'

/**
 * Infohashes at 20 bytes each, each at a slot of its own for as long as it is there, so that what is known of it can lie
 * in arrays. Found through a table with linear probing, at most two thirds full.
 */
export class HashSlots {
  #hashes = new Uint8Array(0)
  #taken = new Uint8Array(0)
  /** Slots that were given up, to be given again. */
  readonly #spare: number[] = []
  readonly #codes = Array.from({ length: 2 * HASH_BYTES }, () => 0)
  #used = 0
  #size = 0
  /** Slot numbers plus one, where the hash leads, or next to it. */
  #table = new Uint32Array(16)
  /** Threat: a member that chose infohashes which lead to one place would make every search a long one. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32)

  get size(): number {
    return this.#size
  }

  /** Slots are below this number. */
  get room(): number {
    return this.#taken.length
  }

  find(infoHash: string): number | undefined {
    const at = this.#seek(hashBytes(infoHash))
    const entry = this.#table[at]!
    return entry === free ? undefined : entry - 1
  }

  /** @returns its slot, a new one when it has none */
  add(infoHash: string): number {
    const hash = hashBytes(infoHash)
    let at = this.#seek(hash)
    const known = this.#table[at]!
    if (known !== free) return known - 1
    if ((this.#size + 1) * 3 > this.#table.length * 2) {
      this.#rehash(this.#table.length * 2)
      at = this.#seek(hash)
    }
    const slot = this.#spare.pop() ?? this.#used++
    if (slot >= this.room) this.#grow()
    this.#hashes.set(hash, slot * HASH_BYTES)
    this.#taken[slot] = 1
    this.#table[at] = slot + 1
    this.#size++
    return slot
  }

  delete(infoHash: string): void {
    const at = this.#seek(hashBytes(infoHash))
    const entry = this.#table[at]!
    if (entry === free) return
    this.#spare.push(entry - 1)
    this.#taken[entry - 1] = 0
    this.#size--
    this.#close(at)
  }

  /**
   * In the order of their first bytes, so that what lies near each other elsewhere is asked for together. What is added
   * or deleted meanwhile may come or not.
   */
  *[Symbol.iterator](): Generator<[infoHash: string, slot: number]> {
    for (const slot of this.#byFirstByte()) if (this.#taken[slot] === 1) yield [this.#text(slot), slot]
  }

  #byFirstByte(): Uint32Array {
    const ends = new Uint32Array(257)
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.#taken[slot] === 1) ends[this.#hashes[slot * HASH_BYTES]! + 1]!++
    }
    for (let byte = 1; byte < 257; byte++) ends[byte]! += ends[byte - 1]!
    const slots = new Uint32Array(this.#size)
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.#taken[slot] === 1) slots[ends[this.#hashes[slot * HASH_BYTES]!]!++] = slot
    }
    return slots
  }

  /** From character codes at once: a text that is put together from pieces costs twice as much to compare. */
  #text(slot: number): string {
    for (let i = 0; i < HASH_BYTES; i++) {
      const byte = this.#hashes[slot * HASH_BYTES + i]!
      this.#codes[2 * i] = digits.charCodeAt(byte >>> 4)
      this.#codes[2 * i + 1] = digits.charCodeAt(byte & 15)
    }
    return String.fromCharCode(...this.#codes)
  }

  /** Where in the table it is, or would be. */
  #seek(hash: Readonly<Uint8Array>): number {
    const mask = this.#table.length - 1
    let at = this.#home(hash, 0) & mask
    for (;;) {
      const entry = this.#table[at]!
      if (entry === free || this.#isAt(entry - 1, hash)) return at
      at = (at + 1) & mask
    }
  }

  #isAt(slot: number, hash: Readonly<Uint8Array>): boolean {
    const start = slot * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) if (this.#hashes[start + i] !== hash[i]) return false
    return true
  }

  /** Moves back what stands behind a gap, so that no search ends at it too early (Knuth, volume 3, 6.4, algorithm R). */
  #close(gap: number): void {
    const mask = this.#table.length - 1
    let hole = gap
    for (let at = (gap + 1) & mask; this.#table[at] !== free; at = (at + 1) & mask) {
      const from = this.#home(this.#hashes, (this.#table[at]! - 1) * HASH_BYTES) & mask
      if (((at - from) & mask) < ((at - hole) & mask)) continue
      this.#table[hole] = this.#table[at]!
      hole = at
    }
    this.#table[hole] = free
  }

  #grow(): void {
    const room = Math.ceil((this.#used * 5) / 4 + 8)
    const [hashes, taken] = [new Uint8Array(room * HASH_BYTES), new Uint8Array(room)]
    hashes.set(this.#hashes)
    taken.set(this.#taken)
    this.#hashes = hashes
    this.#taken = taken
  }

  #rehash(length: number): void {
    const before = this.#table
    this.#table = new Uint32Array(length)
    const mask = length - 1
    for (const entry of before) {
      if (entry === free) continue
      let at = this.#home(this.#hashes, (entry - 1) * HASH_BYTES) & mask
      while (this.#table[at] !== free) at = (at + 1) & mask
      this.#table[at] = entry
    }
  }

  /** Words mixed as in MurmurHash3 (Appleby 2011). */
  #home(bytes: Readonly<Uint8Array>, start: number): number {
    let mixed = this.#seed
    for (let i = start; i < start + HASH_BYTES; i += 4) {
      const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
      const turned = Math.imul(word, 0xcc9e2d51)
      mixed ^= Math.imul((turned << 15) | (turned >>> 17), 0x1b873593)
      mixed = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64
    }
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
}
