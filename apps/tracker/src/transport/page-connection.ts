import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Visitor } from './http-connection.ts'

/** Pages that may wait on one connection. */
const mostWaiting = 100

/** A connection that `node:http` reads. */
export class PageConnection implements Visitor {
  deadline = 0
  round = 0
  place: string | undefined
  readonly #socket: Socket
  readonly #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Has a page made, after those that were asked for before it have left: requests that come at once are read at once.
   *
   * @returns false when too many wait
   */
  take(response: ServerResponse, make: () => void): boolean {
    if (this.#waiting.length >= mostWaiting) return false
    response.once('close', () => this.#next())
    this.#waiting.push(make)
    if (this.#waiting.length === 1) make()
    return true
  }

  /** `node:http` knows who is idle. */
  endIdle(): void {}

  terminate(): void {
    this.#socket.destroy()
  }

  #next(): void {
    this.#waiting.shift()
    if (!this.#socket.destroyed) this.#waiting[0]?.()
  }
}
