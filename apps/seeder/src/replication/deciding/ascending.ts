/** Texts in ascending order, read no further than they are asked for. */
export class Ascending {
  readonly #texts: Iterator<string>
  #next: IteratorResult<string>

  constructor(texts: Iterable<string>) {
    this.#texts = texts[Symbol.iterator]()
    this.#next = this.#texts.next()
  }

  /** Whether `text` is among them. Each is greater than the last one asked for. */
  has(text: string): boolean {
    while (this.#next.done !== true && this.#next.value < text) this.#next = this.#texts.next()
    return this.#next.done !== true && this.#next.value === text
  }
}
