interface Event {
  at: number
  order: number
  act: () => void
}

/** Virtual time in milliseconds: what is due happens in the order of its time, and of its planning at one time. */
export class Clockwork {
  now = 0
  #planned = 0
  /** A binary heap: no event is due before its parent at half its index. */
  readonly #heap: Event[] = []

  after(delay: number, act: () => void): void {
    this.at(this.now + delay, act)
  }

  at(time: number, act: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.#planned++, act }
    const heap = this.#heap
    let place = heap.length
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = event
  }

  /** Lets everything happen that is due until `end`. */
  run(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#takeFirst()
      this.now = next.at
      next.act()
    }
    this.now = end
  }

  #takeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at
}
