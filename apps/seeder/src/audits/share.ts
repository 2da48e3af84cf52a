/** Audits at a time, of all holders together. */
const least = 2
const most = 16

/**
 * How many audits may be under way: more while they come in time, half as many when one is late, so that a busy machine
 * does not judge others by its own haste.
 */
export class Share {
  #size = 4

  get size(): number {
    return Math.floor(this.#size)
  }

  passed(): void {
    this.#size = Math.min(most, this.#size + 1 / this.#size)
  }

  late(): void {
    this.#size = Math.max(least, this.#size / 2)
  }
}
