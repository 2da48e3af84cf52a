import { Frames } from './frames.ts'

/** Memory that nobody needs at the moment, by its size: that of sizes not asked for lately goes first. */
export class SpareFrames {
  readonly #capacity: number
  readonly #frames = new Map<number, Frames[]>()
  #bytes = 0

  /** @param capacity bytes of blocks */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  take({ length, room }: { length: number; room: number }): Frames {
    const frames = this.#frames.get(room)?.pop()
    if (frames === undefined) return new Frames(length)
    this.#bytes -= room
    return frames
  }

  give(frames: Frames): void {
    const same = this.#frames.get(frames.room) ?? []
    same.push(frames)
    this.#bytes += frames.room
    this.#frames.delete(frames.room)
    this.#frames.set(frames.room, same)
    for (const [room, spare] of this.#frames) {
      while (this.#bytes > this.#capacity && spare.pop() !== undefined) this.#bytes -= room
    }
  }
}
