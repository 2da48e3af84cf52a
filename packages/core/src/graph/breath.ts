/** Longest stretch of work before other events get their turn, in milliseconds. */
const stretch = 8

/** Lets long work pause, so that the event loop stays responsive. One per piece of work. */
export class Breath {
  #since = performance.now()

  /** Pauses when the stretch is used up. */
  async take(): Promise<void> {
    if (performance.now() - this.#since < stretch) return
    await new Promise((resolve) => setTimeout(resolve, 0))
    this.#since = performance.now()
  }
}
