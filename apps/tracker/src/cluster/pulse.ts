/** How often a worker is asked for a sign of life. */
const askMs = 1000

/** A worker that leaves so many questions in a row unanswered does nothing any more. */
const mostUnanswered = 10

/** Seconds after which a silent worker is given up. */
export const patienceSeconds = (askMs * mostUnanswered) / 1000

/**
 * Whether a worker still turns. Questions are counted, not time: what was asked by a first process that slept itself says
 * nothing of the worker.
 */
export class Pulse {
  readonly #ask: () => void
  readonly #stuck: () => void
  #timer: NodeJS.Timeout | undefined
  #unanswered = 0

  /** @param stuck told once, and nothing is asked then */
  constructor(ask: () => void, stuck: () => void) {
    this.#ask = ask
    this.#stuck = stuck
  }

  /** Questions since the last sign of life. */
  get unanswered(): number {
    return this.#unanswered
  }

  start(): void {
    this.stop()
    this.#unanswered = 0
    this.#timer = setInterval(() => this.#tick(), askMs)
    this.#timer.unref()
  }

  /** A sign of life came. */
  heard(): void {
    this.#unanswered = 0
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    if (this.#unanswered === mostUnanswered) {
      this.stop()
      return this.#stuck()
    }
    this.#unanswered++
    this.#ask()
  }
}
