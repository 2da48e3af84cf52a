/** Whoever has something to write. */
interface Writer {
  flush(): void
}

/**
 * Milliseconds between two rounds of writing. A message that is alone costs a write here and a read there; on a busy
 * tracker, where many sockets have several within this time, theirs leave together.
 */
const between = 1

/**
 * Writers that wait for their turn. The first of a quiet time writes before the loop turns; those that come soon after
 * it write together.
 */
export class Outbox {
  #waiting: Writer[] = []
  #isResting = false

  add(writer: Writer): void {
    this.#waiting.push(writer)
    if (this.#waiting.length === 1 && !this.#isResting) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#isResting = waiting.length > 0
    if (!this.#isResting) return
    this.#waiting = []
    for (const writer of waiting) writer.flush()
    setTimeout(() => this.#flush(), between)
  }
}
