/** Runs a task once things have been calm for a moment, but no later than a bound after the first request. */
export class Debounce {
  readonly #task: () => void
  readonly #calmMs: number
  readonly #latestMs: number
  #timer: NodeJS.Timeout | undefined
  #first: number | undefined

  constructor(task: () => void, calmMs: number, latestMs: number) {
    this.#task = task
    this.#calmMs = calmMs
    this.#latestMs = latestMs
  }

  request(): void {
    const now = performance.now()
    this.#first ??= now
    clearTimeout(this.#timer)
    const wait = Math.min(this.#calmMs, this.#first + this.#latestMs - now)
    this.#timer = setTimeout(
      () => {
        this.#first = undefined
        this.#task()
      },
      Math.max(0, wait),
    )
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
