/** The longest wait that setTimeout takes; what is due later is looked at again then. */
const longestWaitMs = 2 ** 31 - 1

/** Work that runs once at a time, again when it was asked for meanwhile, and by itself at the time it named. */
export class Appointment {
  /** Does what is due, and must not reject. @returns milliseconds until the next look, undefined to wait to be asked */
  readonly #work: () => Promise<number | undefined>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(work: () => Promise<number | undefined>) {
    this.#work = work
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Does what is due and plans the next look. */
  look(): void {
    if (this.#closed) return
    if (this.#running) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    this.#again = false
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) this.look()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    const wait = await this.#work()
    if (this.#closed || wait === undefined) return
    this.#timer = setTimeout(() => this.look(), Math.min(wait, longestWaitMs))
  }
}
