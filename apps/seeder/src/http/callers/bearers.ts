import type { ServerResponse } from 'node:http'
import type { Caller } from '../../access/index.ts'

/** The longest that a timer of Node can wait; nothing is under way for so long. */
const longestMs = 2 ** 31 - 1

/** What is under way for each token, so that it ends with the token. */
export class Bearers {
  readonly #now: () => number
  readonly #open = new Map<string, Set<ServerResponse>>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** From here on the answer ends, in its middle if need be, when the caller's token does. */
  enter({ token, expiresAt = Infinity }: Pick<Caller, 'token' | 'expiresAt'>, response: ServerResponse): void {
    if (token === undefined || response.closed) return
    const here = this.#open.get(token) ?? new Set()
    this.#open.set(token, here.add(response))
    const left = expiresAt - this.#now()
    const timer = left <= longestMs ? setTimeout(() => response.destroy(), left) : undefined
    response.once('close', () => {
      clearTimeout(timer)
      if (here.delete(response) && here.size === 0) this.#open.delete(token)
    })
  }

  end(token: string): void {
    for (const response of this.#open.get(token) ?? []) response.destroy()
  }
}
