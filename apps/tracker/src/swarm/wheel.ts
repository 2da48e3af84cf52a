/**
 * Appointments of many numbers, each with at most one, in a ring of ticks. Making and cancelling one takes the same time
 * however many there are. An appointment more than one turn ahead comes early: who gets it makes another one.
 */
export class Wheel {
  readonly #heads: Int32Array
  readonly #next: Int32Array
  // A number, or -2 minus the tick for the first one of a tick.
  readonly #previous: Int32Array
  #tick: number

  /** @param first the tick at which the first appointments may come */
  constructor(capacity: number, ticks: number, first: number) {
    this.#tick = first
    this.#heads = new Int32Array(ticks).fill(-1)
    this.#next = new Int32Array(capacity)
    this.#previous = new Int32Array(capacity)
  }

  add(one: number, tick: number): void {
    // One turn later its place in the ring is behind the present tick: made anew in `advance`, it would be found for ever.
    const at = Math.min(tick, this.#tick + this.#heads.length - 1) % this.#heads.length
    const next = this.#heads[at] as number
    this.#next[one] = next
    this.#previous[one] = -2 - at
    if (next !== -1) this.#previous[next] = one
    this.#heads[at] = one
  }

  remove(one: number): void {
    const next = this.#next[one] as number
    const previous = this.#previous[one] as number
    if (next !== -1) this.#previous[next] = previous
    if (previous < -1) this.#heads[-2 - previous] = next
    else this.#next[previous] = next
  }

  /**
   * Hands over what was due before a tick, each taken off the wheel first, at most `most` of them.
   *
   * @returns whether some were left for the next call
   */
  advance(before: number, most: number, due: (one: number) => void): boolean {
    let budget = most
    // After a long sleep one turn finds them all.
    this.#tick = Math.max(this.#tick, before - this.#heads.length)
    for (; this.#tick < before; this.#tick++) {
      const at = this.#tick % this.#heads.length
      for (let one = this.#heads[at] as number; one !== -1; one = this.#heads[at] as number) {
        if (budget-- === 0) return true
        this.remove(one)
        due(one)
      }
    }
    return false
  }
}
