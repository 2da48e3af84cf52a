interface Deadline {
  at: number
  expired: () => void
}

/** Limits what is under way to one length of time, with one timer for all: what began first is over first. */
export class Deadlines<Key> {
  readonly #length: number
  readonly #now: () => number
  readonly #waiting = new Map<Key, Deadline>()
  #timer: NodeJS.Timeout | undefined

  /** `length` in milliseconds. */
  constructor(length: number, now: () => number) {
    this.#length = length
    this.#now = now
  }

  /** Calls `expired` in time unless it was deleted before. */
  add(key: Key, expired: () => void): void {
    this.#waiting.delete(key)
    this.#waiting.set(key, { at: this.#now() + this.#length, expired })
    this.#timer ??= this.#wait(this.#length)
  }

  delete(key: Key): void {
    this.#waiting.delete(key)
  }

  clear(): void {
    this.#waiting.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait(delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#look(), delay)
    timer.unref()
    return timer
  }

  #look(): void {
    this.#timer = undefined
    const now = this.#now()
    for (const [key, { at, expired }] of this.#waiting) {
      if (at > now) {
        this.#timer ??= this.#wait(Math.max(at - now, this.#length / 16))
        return
      }
      this.#waiting.delete(key)
      expired()
    }
  }
}
