/** A binary heap whose items can be taken out wherever they are. Each step costs the logarithm of its size. */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean
  readonly #items: T[] = []
  readonly #at = new Map<T, number>()

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  /** What the order depends on may have changed of the item itself, and of no other one. */
  delete(item: T): boolean {
    const at = this.#at.get(item)
    if (at === undefined) return false
    this.#at.delete(item)
    const last = this.#items.pop()!
    if (last !== item) this.#sink(last, this.#rise(last, at))
    return true
  }

  #rise(item: T, from: number): number {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(item, this.#items[above]!)) break
      this.#put(this.#items[above]!, at)
      at = above
    }
    this.#put(item, at)
    return at
  }

  #sink(item: T, from: number): void {
    let at = from
    for (;;) {
      let below = 2 * at + 1
      if (below >= this.#items.length) break
      if (below + 1 < this.#items.length && this.#isBefore(this.#items[below + 1]!, this.#items[below]!)) below++
      if (!this.#isBefore(this.#items[below]!, item)) break
      this.#put(this.#items[below]!, at)
      at = below
    }
    this.#put(item, at)
  }

  #put(item: T, at: number): void {
    this.#items[at] = item
    this.#at.set(item, at)
  }
}
