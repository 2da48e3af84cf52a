interface Due {
  key: string
  at: number
}

/** Keys ordered by time, as a binary heap: setting, moving and taking cost O(log n) for any number of keys. */
export class DueQueue {
  readonly #heap: Due[] = []
  /** The valid time of each key; entries of the heap that differ are stale and skipped. */
  readonly #times = new Map<string, number>()

  set(key: string, at: number): void {
    this.#times.set(key, at)
    const heap = this.#heap
    let index = heap.push({ key, at }) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#at(parent) <= at) break
      this.#swap(index, parent)
      index = parent
    }
  }

  delete(key: string): void {
    this.#times.delete(key)
  }

  keys(): string[] {
    return [...this.#times.keys()]
  }

  clear(): void {
    this.#times.clear()
    this.#heap.length = 0
  }

  /** When the first key is due; undefined when there is none. */
  get next(): number | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined) return undefined
      if (this.#times.get(first.key) === first.at) return first.at
      this.#pop()
    }
  }

  /** Takes the first key if it is due by `now`. */
  take(now: number): string | undefined {
    const next = this.next
    if (next === undefined || next > now) return undefined
    const { key } = this.#pop()
    this.#times.delete(key)
    return key
  }

  #pop(): Due {
    const heap = this.#heap
    const first = heap[0] as Due
    const last = heap.pop() as Due
    if (heap.length === 0) return first
    heap[0] = last
    for (let index = 0; ;) {
      const left = index * 2 + 1
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(child) >= this.#at(index)) return first
      this.#swap(index, child)
      index = child
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Infinity
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a] as Due
    this.#heap[a] = this.#heap[b] as Due
    this.#heap[b] = kept
  }
}
