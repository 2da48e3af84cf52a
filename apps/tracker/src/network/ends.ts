/** When items end, by the second: what has ended is found without a look at the rest. */
export class Ends {
  readonly #seconds = new Map<string, number>()
  readonly #items = new Map<number, Set<string>>()
  /** All before it was taken. */
  #next = 0

  /** Of several ends of one item the first counts. @param at milliseconds since 1970 */
  add(infoHash: string, at: number): void {
    // Nothing is told to have ended before it has.
    const second = Math.max(Math.ceil(at / 1000), this.#next)
    const before = this.#seconds.get(infoHash)
    if (before !== undefined && before <= second) return
    if (before !== undefined) this.#leave(infoHash, before)
    this.#seconds.set(infoHash, second)
    const items = this.#items.get(second)
    if (items === undefined) this.#items.set(second, new Set([infoHash]))
    else items.add(infoHash)
  }

  /** Takes what has ended until now. */
  take(now: number): string[] {
    const second = Math.floor(now / 1000)
    const taken: string[] = []
    for (const due of this.#due(second)) {
      for (const infoHash of this.#items.get(due) ?? []) {
        taken.push(infoHash)
        this.#seconds.delete(infoHash)
      }
      this.#items.delete(due)
    }
    // A clock that was ahead is believed when it goes back.
    this.#next = second + 1
    return taken
  }

  *#due(second: number): Iterable<number> {
    // After a clock has leapt there may be more seconds than items.
    if (second - this.#next < this.#items.size) for (let at = this.#next; at <= second; at++) yield at
    else for (const at of this.#items.keys()) if (at <= second) yield at
  }

  #leave(infoHash: string, second: number): void {
    const items = this.#items.get(second)
    items?.delete(infoHash)
    if (items?.size === 0) this.#items.delete(second)
  }
}
