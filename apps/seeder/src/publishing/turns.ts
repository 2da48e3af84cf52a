/**
 * One change of an item at a time, in the order they were asked for. Between reading the manifest that stands and signing
 * the next one there are awaits: without turns, who adds previews could bring back what was retracted meanwhile.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  async take<T>(infoHash: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(infoHash)
    const mine = before === undefined ? work() : before.then(work)
    const over = mine.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(infoHash, over)
    try {
      return await mine
    } finally {
      if (this.#last.get(infoHash) === over) this.#last.delete(infoHash)
    }
  }
}
