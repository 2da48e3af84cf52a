import { InfoHashTable } from './info-hash-table.ts'

const seeded = 1

/**
 * What is seeded, asleep or awake, and what is being fetched. An item takes a place in tables here and no object. What
 * was uploaded of it is remembered while it sleeps, for announces must not go backwards.
 */
export class Items {
  readonly table = new InfoHashTable()
  /** By slot. */
  #state = new Uint8Array(64)
  /** Bytes by slot; as long as nobody took anything, there is none. */
  #uploaded = new Float64Array(0)

  get size(): number {
    return this.table.size
  }

  /** @returns false when it was seeded already. @throws InvalidInputError when it is no infohash */
  seed(infoHash: string): boolean {
    const slot = this.#add(infoHash)
    if (this.#state[slot] === seeded) return false
    this.#state[slot] = seeded
    return true
  }

  /** One that may not be seeded yet. @throws InvalidInputError when it is no infohash */
  fetch(infoHash: string): void {
    this.#add(infoHash)
  }

  has(infoHash: string): boolean {
    return this.table.slotOf(infoHash) !== undefined
  }

  isSeeded(infoHash: string): boolean {
    return this.#state[this.table.slotOf(infoHash) ?? -1] === seeded
  }

  /** The infohash that an encrypted handshake means. */
  byObfuscated(hash: string): string | undefined {
    const slot = this.table.byObfuscated(hash)
    return slot === undefined ? undefined : this.table.infoHashAt(slot)
  }

  delete(infoHash: string): void {
    const slot = this.table.slotOf(infoHash)
    if (slot === undefined) return
    this.#state[slot] = 0
    if (slot < this.#uploaded.length) this.#uploaded[slot] = 0
    this.table.delete(infoHash)
  }

  /** Bytes uploaded before it last went to sleep. */
  uploaded(infoHash: string): number {
    return this.#uploaded[this.table.slotOf(infoHash) ?? -1] ?? 0
  }

  addUploaded(infoHash: string, bytes: number): void {
    const slot = this.table.slotOf(infoHash)
    if (slot === undefined || bytes === 0) return
    if (slot >= this.#uploaded.length) {
      const grown = new Float64Array(Math.max(slot + 1, this.#uploaded.length * 2))
      grown.set(this.#uploaded)
      this.#uploaded = grown
    }
    this.#uploaded[slot] = (this.#uploaded[slot] ?? 0) + bytes
  }

  #add(infoHash: string): number {
    const slot = this.table.add(infoHash)
    if (slot >= this.#state.length) {
      const grown = new Uint8Array(Math.max(slot + 1, this.#state.length * 2))
      grown.set(this.#state)
      this.#state = grown
    }
    return slot
  }
}
