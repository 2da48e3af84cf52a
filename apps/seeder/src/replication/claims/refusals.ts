/** More than these are not remembered: the items are then tried again as if nothing had happened. */
const mostRefusals = 10_000

export interface RefusalsOptions {
  /** Told when an item may be tried again. */
  forgiven(infoHash: string): void
}

/** Items that this node leaves alone for a while. In memory only: the library remembers what the operator chose. */
export class Refusals {
  readonly #options: RefusalsOptions
  readonly #until = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #due = Infinity

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  has(infoHash: string): boolean {
    return this.#until.has(infoHash)
  }

  /** @returns false when too many are remembered already and this one is not to be kept `always` */
  add(infoHash: string, forMs: number, always = false): boolean {
    if (this.#until.size >= mostRefusals && !always) return false
    const until = performance.now() + forMs
    this.#until.set(infoHash, until)
    this.#plan(until)
    return true
  }

  /** @returns whether it was refused */
  delete(infoHash: string): boolean {
    return this.#until.delete(infoHash)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#until.clear()
  }

  #plan(next: number): void {
    if (next >= this.#due) return
    clearTimeout(this.#timer)
    this.#due = next
    this.#timer = setTimeout(() => this.#forgive(), Math.max(0, Math.ceil(next - performance.now())))
  }

  #forgive(): void {
    this.#due = Infinity
    const now = performance.now()
    const forgiven = [...this.#until].filter(([, until]) => until <= now).map(([infoHash]) => infoHash)
    for (const infoHash of forgiven) this.#until.delete(infoHash)
    let next = Infinity
    for (const until of this.#until.values()) next = Math.min(next, until)
    this.#plan(next)
    for (const infoHash of forgiven) this.#options.forgiven(infoHash)
  }
}
