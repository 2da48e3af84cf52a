/** Something under way. */
interface Deadline<T> {
  readonly value: T
  readonly at: number
  previous: Deadline<T> | undefined
  next: Deadline<T> | undefined
}

/**
 * What is under way, each for the same length of time at most, with one timer for all: what began first is over first.
 *
 * A linked list and no Map: where thousands come and go, the tables that a Map outgrew, each naming the next, keep all
 * that was in them alive until the next full collection.
 */
export class Deadlines<T> {
  readonly #length: number
  readonly #now: () => number
  readonly #expired: (value: T) => void
  #first: Deadline<T> | undefined
  #last: Deadline<T> | undefined
  #timer: NodeJS.Timeout | undefined
  #size = 0

  /** `length` in milliseconds. `expired` is told of what was not ended in time. */
  constructor(length: number, now: () => number, expired: (value: T) => void) {
    this.#length = length
    this.#now = now
    this.#expired = expired
  }

  get size(): number {
    return this.#size
  }

  begin(value: T): void {
    const deadline: Deadline<T> = { value, at: this.#now() + this.#length, previous: this.#last, next: undefined }
    if (this.#last === undefined) this.#first = deadline
    else this.#last.next = deadline
    this.#last = deadline
    this.#size++
    this.#timer ??= this.#wait(this.#length)
  }

  /** Takes out what began first of those that match. */
  end(matches: (value: T) => boolean): T | undefined {
    for (let deadline = this.#first; deadline !== undefined; deadline = deadline.next) {
      if (matches(deadline.value)) return this.#take(deadline)
    }
    return undefined
  }

  /** Takes out everything. */
  clear(): T[] {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const values: T[] = []
    while (this.#first !== undefined) values.push(this.#take(this.#first))
    return values
  }

  #take(deadline: Deadline<T>): T {
    const { previous, next, value } = deadline
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    deadline.previous = deadline.next = undefined
    this.#size--
    return value
  }

  #wait(delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#look(), delay)
    timer.unref()
    return timer
  }

  #look(): void {
    this.#timer = undefined
    const now = this.#now()
    while (this.#first !== undefined && this.#first.at <= now) this.#expired(this.#take(this.#first))
    if (this.#first !== undefined) this.#timer ??= this.#wait(Math.max(this.#first.at - now, this.#length / 16))
  }
}
