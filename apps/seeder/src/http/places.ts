import type { Duplex } from 'node:stream'

/**
 * How many connections there may be. When all places are taken, the one on which nothing has been asked for longest gives
 * way to the new one: whoever opens thousands and says nothing keeps nobody out.
 */
export class Places {
  readonly #most: number
  readonly #taken = new Set<Duplex>()
  /** In the order in which they became idle. */
  readonly #idle = new Set<Duplex>()

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#taken.size
  }

  /** A new connection, on which nothing was asked yet. It is closed when everybody else is busy. */
  take(socket: Duplex): void {
    if (this.#taken.size >= this.#most) {
      const [longest = socket] = this.#idle
      this.#leave(longest)
      longest.destroy()
      if (longest === socket) return
    }
    this.#taken.add(socket)
    this.#idle.add(socket)
    socket.once('close', () => this.#leave(socket))
  }

  /** A request has begun on it, or it speaks another protocol from now on. */
  busy(socket: Duplex): void {
    this.#idle.delete(socket)
  }

  /** Everything that was asked is answered. */
  idle(socket: Duplex): void {
    if (this.#taken.has(socket)) this.#idle.add(socket)
  }

  #leave(socket: Duplex): void {
    this.#taken.delete(socket)
    this.#idle.delete(socket)
  }
}
