import type { Lock, Locker, RequestRelease } from '@tus/server'
import { UploadHeldError } from '../errors.ts'

interface Held {
  askBack: RequestRelease
  waiting: (() => void)[]
}

/**
 * Who may write to an upload. A client that lost its connection comes back before the node knows: the request that
 * holds the upload is asked to let go, and the others wait in line.
 */
export class UploadLocks implements Locker {
  readonly #held = new Map<string, Held>()
  readonly #patienceMs: number

  constructor(patienceMs = 30_000) {
    this.#patienceMs = patienceMs
  }

  newLock(id: string): Lock {
    return { lock: (stop, askBack) => this.#take(id, stop, askBack), unlock: async () => this.#give(id) }
  }

  async #take(id: string, stop: AbortSignal, askBack: RequestRelease): Promise<void> {
    const late = AbortSignal.any([stop, AbortSignal.timeout(this.#patienceMs)])
    for (let held = this.#held.get(id); held !== undefined; held = this.#held.get(id)) {
      await held.askBack()
      const { promise, resolve } = Promise.withResolvers<void>()
      held.waiting.push(resolve)
      late.addEventListener('abort', () => resolve(), { once: true })
      // One that has aborted already says so no more.
      if (!late.aborted) await promise
      if (late.aborted) throw new UploadHeldError()
    }
    this.#held.set(id, { askBack, waiting: [] })
  }

  #give(id: string): void {
    const waiting = this.#held.get(id)?.waiting ?? []
    this.#held.delete(id)
    for (const wake of waiting) wake()
  }
}
