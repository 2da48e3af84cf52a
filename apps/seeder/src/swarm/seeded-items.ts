import { InfoHashTable } from './info-hash-table.ts'

/**
 * What is seeded, asleep or awake, with what was uploaded of it: announces must not go backwards when an item slept in
 * between. An item takes bytes of tables here and no object, a total only once something was uploaded of any.
 */
export class SeededItems {
  readonly #table = new InfoHashTable()
  /** Bytes by slot. */
  #uploaded = new Float64Array(0)

  get size(): number {
    return this.#table.size
  }

  /** @returns false when it was there. @throws InvalidInputError */
  add(infoHash: string): boolean {
    const before = this.#table.size
    this.#table.add(infoHash)
    return this.#table.size > before
  }

  has(infoHash: string): boolean {
    return this.#table.slotOf(infoHash) !== undefined
  }

  /** The infohash that an encrypted handshake means. */
  byObfuscated(hash: string): string | undefined {
    const slot = this.#table.byObfuscated(hash)
    return slot === undefined ? undefined : this.#table.infoHashAt(slot)
  }

  delete(infoHash: string): boolean {
    const slot = this.#table.slotOf(infoHash)
    if (slot !== undefined && slot < this.#uploaded.length) this.#uploaded[slot] = 0
    return this.#table.delete(infoHash)
  }

  /** Bytes uploaded before it last went to sleep. */
  uploaded(infoHash: string): number {
    return this.#uploaded[this.#table.slotOf(infoHash) ?? -1] ?? 0
  }

  addUploaded(infoHash: string, bytes: number): void {
    const slot = this.#table.slotOf(infoHash)
    if (slot === undefined || bytes === 0) return
    if (slot >= this.#uploaded.length) {
      const grown = new Float64Array(Math.max(slot + 1, this.#uploaded.length * 2))
      grown.set(this.#uploaded)
      this.#uploaded = grown
    }
    this.#uploaded[slot] = (this.#uploaded[slot] ?? 0) + bytes
  }
}
