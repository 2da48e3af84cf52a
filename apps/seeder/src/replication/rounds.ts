import type { Logger } from 'pino'

/** How often what is due by time alone is looked for. */
const tickMs = 5_000
/** How often certificates are asked whether they ran out, and all items whether they are in order. */
const ticksPerPass = 60

export interface RoundsOptions {
  /** Each is called every 5 seconds. */
  ticks: readonly (() => void)[]
  /** And these every 5 minutes. */
  passes: readonly (() => void)[]
  log: Pick<Logger, 'error'>
}

/** Has done what is due by time alone. Nothing that fails keeps the rest from it, or ends the node. */
export class Rounds {
  readonly #options: RoundsOptions
  #timer: NodeJS.Timeout | undefined
  #count = 0

  constructor(options: RoundsOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const { ticks, passes, log } = this.#options
    const due = ++this.#count % ticksPerPass === 0 ? [...ticks, ...passes] : ticks
    for (const act of due) {
      try {
        act()
      } catch (error) {
        log.error({ err: error }, 'what became due could not be done; tried again soon')
      }
    }
  }
}
