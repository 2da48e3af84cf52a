import type { Logger } from 'pino'

/** What was started, so that it can be stopped in reverse. */
export class Undo {
  readonly #steps: { name: string; stop: () => Promise<void> | void }[] = []
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  later(name: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ name, stop })
  }

  /** Stops everything, the last started first. What takes too long or fails is logged and does not keep the rest. */
  async all(ms: number): Promise<void> {
    const late = Symbol('late')
    const deadline = Promise.withResolvers<typeof late>()
    const timer = setTimeout(() => deadline.resolve(late), ms)
    for (const { name, stop } of this.#steps.splice(0).toReversed()) {
      try {
        if ((await Promise.race([stop(), deadline.promise])) === late)
          this.#log.error({ part: name }, 'stops too slowly')
      } catch (error) {
        this.#log.error({ err: error, part: name }, 'could not be stopped')
      }
    }
    clearTimeout(timer)
  }
}
