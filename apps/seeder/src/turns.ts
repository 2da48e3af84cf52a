/**
 * One piece of work at a time for each key, in the order they were asked for. Between reading the manifest that stands and
 * signing the next one, say, there are awaits: without turns, who adds previews could bring back what was retracted
 * meanwhile.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = before === undefined ? work() : before.then(work)
    const over = mine.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(key, over)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key)
    }
  }
}
