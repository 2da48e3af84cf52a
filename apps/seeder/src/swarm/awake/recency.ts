/** A thing that notes by itself when it was last used, in milliseconds. */
export interface Used {
  readonly usedAt: number
}

/**
 * Things by when they were last used. Using one costs nothing here: its place is mended when it comes up as the oldest,
 * so that finding the oldest takes O(1) a use.
 */
export class Recency<T extends Used> {
  /** When each was used as far as is known here, the oldest first. */
  readonly #places = new Map<T, number>()

  get size(): number {
    return this.#places.size
  }

  add(thing: T): void {
    this.place(thing, thing.usedAt)
  }

  /** Puts it last, as if it had been used at that time. */
  place(thing: T, at: number): void {
    this.#places.delete(thing)
    this.#places.set(thing, at)
  }

  has(thing: T): boolean {
    return this.#places.has(thing)
  }

  delete(thing: T): boolean {
    return this.#places.delete(thing)
  }

  /** The one not used for the longest time, and since when. */
  first(): { thing: T; at: number } | undefined {
    for (const [thing, at] of this.#places) {
      if (thing.usedAt <= at) return { thing, at }
      this.place(thing, thing.usedAt)
    }
    return undefined
  }

  /** Of the first so many places, those that were not used since: none was idle for longer than these. */
  head(places: number): T[] {
    const found: T[] = []
    let looked = 0
    for (const [thing, at] of this.#places) {
      if (++looked > places) break
      if (thing.usedAt > at) this.place(thing, thing.usedAt)
      else found.push(thing)
    }
    return found
  }

  /** The one not used for the longest time of those that fit. Others that were looked at are put last, as used `now`. */
  oldest(now: number, fits: (thing: T) => boolean): T | undefined {
    for (let looks = this.#places.size; looks > 0; looks--) {
      const first = this.first()
      if (first === undefined || fits(first.thing)) return first?.thing
      this.place(first.thing, now)
    }
    return undefined
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#places.keys()
  }
}
