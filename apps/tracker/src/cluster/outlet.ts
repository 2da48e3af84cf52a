import type { Socket } from 'node:net'
import { FrameWriter, type Says } from './frames.ts'

/** Bytes that may wait for a worker that does not read: beyond it what can be lost is lost. */
const mostUnsent = 8 * 1024 * 1024

/** One direction of a connection between two workers. What is said within one turn of the loop leaves in one piece. */
export class Outlet {
  readonly #socket: Socket
  readonly #frames = new FrameWriter()
  #isOpen = false
  readonly #flush = (): void => {
    const bytes = this.#frames.take()
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Begins a frame that may be lost, and is where too much waits already; `end` sends it.
   *
   * @returns the frame to be filled, or undefined
   */
  begin(kind: Says, id: number): FrameWriter | undefined {
    if (this.#socket.destroyed || this.#socket.writableLength + this.#frames.length > mostUnsent) return undefined
    return this.#begin(kind, id)
  }

  /** The same for one without which the two would not agree any more: if it cannot be said, all ends. */
  must(kind: Says, id: number): FrameWriter {
    if (this.#socket.writableLength + this.#frames.length > 2 * mostUnsent) this.#socket.destroy()
    return this.#begin(kind, id)
  }

  /** Sends the frame that was begun, if it was. */
  end(): void {
    if (this.#isOpen) this.#frames.end()
    this.#isOpen = false
  }

  #begin(kind: Says, id: number): FrameWriter {
    if (this.#frames.length === 0) setImmediate(this.#flush)
    this.#frames.begin(kind, id)
    this.#isOpen = true
    return this.#frames
  }
}
