import type { NodeId } from '../identity/index.ts'
import { TooManyRequestsError } from './errors.ts'

/** Remembered per node at most: past it a node is refused, since forgetting a nonce early would let it be replayed. */
const MAX_PER_NODE = 2000

/** Nonces that were used within the window, each until it could not be accepted anyway. Times in seconds. */
export class Nonces {
  readonly #used = new Map<NodeId, Map<string, number>>()

  /** @returns false when it was used before. @throws TooManyRequestsError */
  use(node: NodeId, nonce: string, until: number, now: number): boolean {
    const used = this.#used.get(node) ?? new Map<string, number>()
    this.#used.set(node, used)
    for (const [old, end] of used) {
      if (end > now) break
      used.delete(old)
    }
    if (used.has(nonce)) return false
    if (used.size >= MAX_PER_NODE) {
      throw new TooManyRequestsError(
        `node ${node} sent over ${MAX_PER_NODE} signed requests in the window; wait a minute`,
      )
    }
    used.set(nonce, until)
    return true
  }
}
