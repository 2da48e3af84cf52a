import { randomInt } from 'node:crypto'

/**
 * 32 bits of 20 bytes, spread evenly.
 *
 * Threat: whoever publishes can choose infohashes whose first bytes are the same, thousands of them, so that all would
 * fall on one place of a table. All bytes count here, each weighed by a number that nobody outside knows.
 */
export class SecretPrint {
  readonly #weights = Array.from({ length: 5 }, () => randomInt(2 ** 32) | 1)

  of(bytes: Buffer, offset: number): number {
    let sum = 0
    for (let word = 0; word < 5; word++) {
      const value = bytes.readInt32BE(offset + word * 4)
      sum = Math.imul(sum ^ value, this.#weights[word] ?? 1)
      sum ^= sum >>> 15
    }
    return sum >>> 0
  }
}

/** Finds slots by the print of what they hold, by open addressing: 8 to 16 bytes per slot, no object. */
export class SlotIndex {
  readonly #printAt: (slot: number) => number
  /** Slot + 1; 0 is an empty place. Its length is a power of two. */
  #places = new Int32Array(16)
  #size = 0

  /** `printAt` gives the print of a slot that was inserted, the same at any time. */
  constructor(printAt: (slot: number) => number) {
    this.#printAt = printAt
  }

  /** The slot may not be in the index yet. */
  insert(slot: number): void {
    if (++this.#size * 2 > this.#places.length) this.#grow()
    this.#put(slot)
  }

  /** The first slot with that print that `matches`, which is asked for few others. */
  find(print: number, matches: (slot: number) => boolean): number | undefined {
    const places = this.#places
    for (let place = this.#home(print); ; place = (place + 1) & (places.length - 1)) {
      const slot = (places[place] ?? 0) - 1
      if (slot < 0) return undefined
      if (this.#printAt(slot) === print && matches(slot)) return slot
    }
  }

  /** Its print must still be known. */
  remove(slot: number): void {
    const places = this.#places
    const mask = places.length - 1
    let hole = this.#home(this.#printAt(slot))
    while (places[hole] !== slot + 1) {
      if (places[hole] === 0) return
      hole = (hole + 1) & mask
    }
    this.#size--
    // What follows moves up, so that no search stops at the hole before it has seen it.
    for (let place = (hole + 1) & mask; places[place] !== 0; place = (place + 1) & mask) {
      const moved = places[place] ?? 0
      const home = this.#home(this.#printAt(moved - 1))
      if (((place - home) & mask) < ((place - hole) & mask)) continue
      places[hole] = moved
      hole = place
    }
    places[hole] = 0
  }

  #grow(): void {
    const old = this.#places
    this.#places = new Int32Array(old.length * 2)
    for (const place of old) if (place !== 0) this.#put(place - 1)
  }

  #put(slot: number): void {
    const places = this.#places
    let place = this.#home(this.#printAt(slot))
    while (places[place] !== 0) place = (place + 1) & (places.length - 1)
    places[place] = slot + 1
  }

  #home(print: number): number {
    return print & (this.#places.length - 1)
  }
}
