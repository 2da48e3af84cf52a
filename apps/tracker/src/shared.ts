const freshMs = 1000

/** What costs much to find out and is asked for by many: found out once a second at most. */
export class Shared<T> {
  readonly #find: () => Promise<T>
  readonly #now: () => number
  #found: Promise<T> | undefined
  #until = 0

  /** @param now milliseconds, never going backwards */
  constructor(find: () => Promise<T>, now: () => number) {
    this.#find = find
    this.#now = now
  }

  /** Rejects as the attempt did that others wait for, too; the next one is made anew. */
  async read(): Promise<T> {
    if (this.#found === undefined || this.#now() >= this.#until) this.#found = this.#ask()
    return await this.#found
  }

  async #ask(): Promise<T> {
    // Nobody else asks while this takes its time.
    this.#until = Infinity
    try {
      return await this.#find()
    } catch (error) {
      this.#found = undefined
      throw error
    } finally {
      this.#until = this.#now() + freshMs
    }
  }
}
