import { setImmediate as nextTurn } from 'node:timers/promises'

const sliceMs = 8

/** Has long work on the main thread give way to the event loop every few milliseconds. One for each piece of work. */
export class Slices {
  #end = performance.now() + sliceMs

  /** Whether it is time to `next`. */
  get over(): boolean {
    return performance.now() >= this.#end
  }

  /** Resolves when others had their turn. */
  async next(): Promise<void> {
    await nextTurn()
    this.#end = performance.now() + sliceMs
  }
}
