import type { Handle } from '../connection-handle.ts'

/** A process at the other end that takes longer to take one gets it no more. */
const patienceMs = 5000

/**
 * Connections on their way to another process. This one's side of each is closed once it is there, and also when it never
 * will be: those that wait in a channel that ends are not spoken of again.
 */
export class HandOvers {
  readonly #most: number
  readonly #waiting = new Map<Handle, NodeJS.Timeout>()

  /** @param most connections that may be on their way at once */
  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.#waiting.size >= this.#most
  }

  /** @param send tells when the connection has left this process, or why it does not */
  send(handle: Handle, send: (done: () => void) => void): void {
    const patience = setTimeout(() => this.#close(handle), patienceMs)
    patience.unref()
    this.#waiting.set(handle, patience)
    send(() => this.#close(handle))
  }

  /** The other process is gone. */
  end(): void {
    for (const handle of this.#waiting.keys()) this.#close(handle)
  }

  #close(handle: Handle): void {
    clearTimeout(this.#waiting.get(handle))
    // Word of one that was given up may come late.
    if (this.#waiting.delete(handle)) handle.close()
  }
}
