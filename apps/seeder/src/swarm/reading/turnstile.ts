interface Waiting {
  weight: number
  enter: () => void
}

/** Lets pieces of work go on at a time up to a weight, or one that is heavier alone; the others wait in order. */
export class Turnstile {
  readonly #most: number
  readonly #waiting: Waiting[] = []
  #inside = 0

  constructor(most: number) {
    this.#most = most
  }

  async pass<T>(weight: number, work: () => Promise<T>): Promise<T> {
    const free = this.#waiting.length === 0 && this.#fits(weight)
    if (free) this.#inside += weight
    else await new Promise<void>((enter) => this.#waiting.push({ weight, enter }))
    try {
      return await work()
    } finally {
      this.#inside -= weight
      for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.weight); next = this.#waiting[0]) {
        this.#inside += next.weight
        this.#waiting.shift()?.enter()
      }
    }
  }

  #fits(weight: number): boolean {
    return this.#inside === 0 || this.#inside + weight <= this.#most
  }
}
