import { Blocks } from './blocks.ts'

/**
 * Many lists of numbers, most of them empty or of one, some of a hundred thousand. Adding, removing and reading one at
 * random take the same time in each. The order in a list means nothing.
 */
export class MemberLists {
  readonly #blocks: Blocks
  readonly #counts: Int32Array
  // Where a list begins; a list of one holds its number here and takes no block.
  readonly #starts: Int32Array
  readonly #orders: Uint8Array

  /**
   * @param lists how many
   * @param members of all lists together
   */
  constructor(lists: number, members: number) {
    this.#counts = new Int32Array(lists)
    this.#starts = new Int32Array(lists)
    this.#orders = new Uint8Array(lists)
    // A list takes up to four times its members after it has shrunk; the other half is against fragmentation.
    this.#blocks = new Blocks(8 * members)
  }

  count(list: number): number {
    return this.#counts[list] as number
  }

  at(list: number, position: number): number {
    const start = this.#starts[list] as number
    return this.#orders[list] === 0 ? start : (this.#blocks.words[start + position] as number)
  }

  /** The position of the new member, or -1 when there is no memory for it. */
  add(list: number, member: number): number {
    const count = this.#counts[list] as number
    const order = this.#orders[list] as number
    if (count === 0) this.#starts[list] = member
    else {
      if (count === 2 ** order && !this.#resize(list, count, order + 1)) return -1
      this.#blocks.words[(this.#starts[list] as number) + count] = member
    }
    this.#counts[list] = count + 1
    return count
  }

  /** Takes the member at a position out; the last one moves there. @returns the one that moved, or -1 */
  remove(list: number, position: number): number {
    const last = (this.#counts[list] as number) - 1
    this.#counts[list] = last
    const order = this.#orders[list] as number
    if (order === 0) return -1
    const { words } = this.#blocks
    const start = this.#starts[list] as number
    const moved = position === last ? -1 : (words[start + last] as number)
    if (moved !== -1) words[start + position] = moved
    if (last <= 1) {
      const only = words[start] as number
      this.#blocks.give(start, order)
      this.#orders[list] = 0
      this.#starts[list] = only
    } else if (last < 2 ** order / 4) this.#resize(list, last, order - 1)
    return moved
  }

  #resize(list: number, count: number, order: number): boolean {
    const { words } = this.#blocks
    const before = this.#orders[list] as number
    const start = this.#starts[list] as number
    const fresh = this.#blocks.take(order)
    if (fresh === -1) return false
    if (before === 0) words[fresh] = start
    else {
      words.copyWithin(fresh, start, start + count)
      this.#blocks.give(start, before)
    }
    this.#starts[list] = fresh
    this.#orders[list] = order
    return true
  }
}
