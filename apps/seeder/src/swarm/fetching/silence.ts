/** Aborts what gave nothing for too long. The time for which this node itself makes it wait does not count. */
export class Silence {
  readonly #abort = new AbortController()
  readonly #ms: number
  readonly #mayWait: () => boolean
  #timer: NodeJS.Timeout | undefined

  /** @param mayWait whether there is nobody else to ask, so that waiting loses nothing */
  constructor(ms: number, mayWait: () => boolean = () => false) {
    this.#ms = ms
    this.#mayWait = mayWait
    this.heard()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  heard(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#mayWait()) this.heard()
      else this.#abort.abort(new Error(`it gave nothing for ${this.#ms / 1000} s`))
    }, this.#ms)
  }

  async without(waiting: Promise<void>): Promise<void> {
    clearTimeout(this.#timer)
    await waiting
    this.heard()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
