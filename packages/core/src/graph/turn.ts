/** Longest time that messages may be handled for before other events get their turn, in milliseconds. */
const stretch = 15

/**
 * Time for handling messages, shared by all links: a socket may hand over megabytes in one event, and timers, other
 * sockets and the rest of the node must not wait until all of it is verified.
 */
export class Turn {
  #began: number | undefined
  readonly #waiting = new Set<() => void>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Whether there is time left. When not, `resume` is called in the next turn. */
  has(resume: () => void): boolean {
    this.#began ??= performance.now()
    this.#timer ??= setTimeout(() => this.#next(), 0)
    if (performance.now() - this.#began < stretch) return true
    this.#waiting.add(resume)
    return false
  }

  end(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#waiting.clear()
  }

  #next(): void {
    this.#began = undefined
    this.#timer = undefined
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }
}
