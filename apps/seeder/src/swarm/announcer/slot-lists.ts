/**
 * A number of lists of slots, doubly linked over two typed arrays: every change takes the same short time, and a slot
 * 8 bytes. A slot is in one list at most.
 */
export class SlotLists {
  readonly #count: number
  /** By node: the ends of list `n` are node `n`, whose neighbours are the first and the last; slots follow. */
  #next: Int32Array
  #previous: Int32Array

  constructor(count: number) {
    this.#count = count
    this.#next = new Int32Array(count + 64).fill(-1)
    this.#previous = new Int32Array(count + 64).fill(-1)
    for (let list = 0; list < count; list++) this.#next[list] = this.#previous[list] = list
  }

  has(slot: number): boolean {
    return (this.#next[this.#count + slot] ?? -1) !== -1
  }

  /** Puts a slot at the end of a list; it leaves the one it is in. */
  append(list: number, slot: number): void {
    this.remove(slot)
    const node = this.#count + slot
    if (node >= this.#next.length) this.#grow(node)
    const last = this.#previous[list] ?? list
    this.#next[last] = node
    this.#previous[node] = last
    this.#next[node] = list
    this.#previous[list] = node
  }

  remove(slot: number): void {
    const node = this.#count + slot
    const next = this.#next[node] ?? -1
    if (next === -1) return
    const previous = this.#previous[node] ?? -1
    this.#next[previous] = next
    this.#previous[next] = previous
    this.#next[node] = this.#previous[node] = -1
  }

  first(list: number): number | undefined {
    return this.#slot(this.#next[list] ?? list)
  }

  last(list: number): number | undefined {
    return this.#slot(this.#previous[list] ?? list)
  }

  /** The slot behind another in its list. */
  after(slot: number): number | undefined {
    return this.#slot(this.#next[this.#count + slot] ?? -1)
  }

  before(slot: number): number | undefined {
    return this.#slot(this.#previous[this.#count + slot] ?? -1)
  }

  isEmpty(list: number): boolean {
    return this.#next[list] === list
  }

  /** Puts all of one list at the end of another, in one step. */
  moveAll(from: number, to: number): void {
    if (this.isEmpty(from)) return
    const [first, last] = [this.#next[from] ?? from, this.#previous[from] ?? from]
    const end = this.#previous[to] ?? to
    this.#next[end] = first
    this.#previous[first] = end
    this.#next[last] = to
    this.#previous[to] = last
    this.#next[from] = this.#previous[from] = from
  }

  #slot(node: number): number | undefined {
    return node < this.#count ? undefined : node - this.#count
  }

  #grow(node: number): void {
    const length = Math.max(this.#next.length * 2, node + 1)
    this.#next = longer(this.#next, length)
    this.#previous = longer(this.#previous, length)
  }
}

function longer(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length).fill(-1, from.length)
  to.set(from)
  return to
}
