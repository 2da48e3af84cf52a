/** Words of the smallest block: a free one holds its two neighbours in the list of free blocks. */
const smallest = 2

/**
 * Blocks of 2, 4, 8... words in one array (a buddy allocator). Free neighbours become one again, so that nobody can
 * break the memory into pieces that are of no use for long.
 */
export class Blocks {
  readonly words: Int32Array
  readonly #orders: number
  // First free block of each order, or -1.
  readonly #first: Int32Array
  // For each smallest block that begins a free block: its order. Otherwise 0.
  readonly #free: Uint8Array

  /** @param words at least so many, rounded up to a power of two */
  constructor(words: number) {
    this.#orders = Math.max(1, Math.ceil(Math.log2(words)))
    const length = 2 ** this.#orders
    this.words = new Int32Array(length)
    this.#free = new Uint8Array(length / smallest)
    this.#first = new Int32Array(this.#orders + 1).fill(-1)
    this.#push(0, this.#orders)
  }

  /** A block of `2 ** order` words, order from 1: where it begins, or -1 when there is none. */
  take(order: number): number {
    let from = order
    while (from <= this.#orders && this.#first[from] === -1) from++
    if (from > this.#orders) return -1
    const at = this.#first[from] as number
    this.#unlink(at, from)
    while (from > order) {
      from--
      this.#push(at + 2 ** from, from)
    }
    return at
  }

  give(start: number, size: number): void {
    let at = start
    let order = size
    for (; order < this.#orders; order++) {
      const buddy = at ^ (1 << order)
      if (this.#free[buddy / smallest] !== order) break
      this.#unlink(buddy, order)
      at = Math.min(at, buddy)
    }
    this.#push(at, order)
  }

  #push(at: number, order: number): void {
    const next = this.#first[order] as number
    this.words[at] = next
    this.words[at + 1] = -1
    if (next !== -1) this.words[next + 1] = at
    this.#first[order] = at
    this.#free[at / smallest] = order
  }

  #unlink(at: number, order: number): void {
    const next = this.words[at] as number
    const previous = this.words[at + 1] as number
    if (next !== -1) this.words[next + 1] = previous
    if (previous === -1) this.#first[order] = next
    else this.words[previous] = next
    this.#free[at / smallest] = 0
  }
}
