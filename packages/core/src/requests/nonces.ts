import type { NodeId } from '../identity/index.ts'
import { TooManyRequestsError } from './errors.ts'

/** Remembered per node at most: past it a node is refused, since forgetting a nonce early would let it be replayed. */
const MAX_PER_NODE = 2000
/** Nodes remembered at most: where everybody is admitted, keys cost nothing. */
const MAX_NODES = 10_000
/** Seconds between two searches for nodes that have nothing left to remember. */
const SWEEP_EVERY = 30

/** Nonces that were used within the window, each until it could not be accepted anyway. Times in seconds. */
export class Nonces {
  readonly #used = new Map<NodeId, Map<string, number>>()
  #swept = -Infinity

  /** @returns false when it was used before. @throws TooManyRequestsError */
  use(node: NodeId, nonce: string, until: number, now: number): boolean {
    const used = this.#used.get(node) ?? this.#admit(node, now)
    dropOld(used, now)
    if (used.has(nonce)) return false
    if (used.size >= MAX_PER_NODE) {
      throw new TooManyRequestsError(
        `node ${node} sent over ${MAX_PER_NODE} signed requests in the window; wait a minute`,
      )
    }
    used.set(nonce, until)
    return true
  }

  #admit(node: NodeId, now: number): Map<string, number> {
    if (this.#used.size >= MAX_NODES) this.#sweep(now)
    if (this.#used.size >= MAX_NODES) {
      throw new TooManyRequestsError(`${MAX_NODES} nodes sent signed requests in the window; wait a minute`)
    }
    const used = new Map<string, number>()
    this.#used.set(node, used)
    return used
  }

  #sweep(now: number): void {
    if (now - this.#swept < SWEEP_EVERY) return
    this.#swept = now
    for (const [node, used] of this.#used) {
      dropOld(used, now)
      if (used.size === 0) this.#used.delete(node)
    }
  }
}

function dropOld(used: Map<string, number>, now: number): void {
  for (const [nonce, until] of used) {
    if (until > now) break
    used.delete(nonce)
  }
}
