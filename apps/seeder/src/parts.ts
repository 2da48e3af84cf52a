import type { Undo } from './undo.ts'

/** Something that runs from `start` to `close`. */
export interface Part {
  start(): Promise<void> | void
  close(): Promise<void> | void
}

/** The parts of the node that run by now. */
export class Parts {
  readonly #undo: Undo
  readonly #up = new Set<string>()

  constructor(undo: Undo) {
    this.#undo = undo
  }

  /** From when it has started until just before it is closed. */
  isUp(name: string): boolean {
    return this.#up.has(name)
  }

  /** One whose start fails is closed as well. */
  async begin(name: string, part: Part): Promise<void> {
    this.#undo.later(name, () => part.close())
    await part.start()
    this.#up.add(name)
    this.#undo.later(name, () => void this.#up.delete(name))
  }
}
