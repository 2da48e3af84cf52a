import type { NodeId } from '../identity/index.ts'
import { TooManyRequestsError } from './errors.ts'

/** Remembered of all nodes together, of which each that is known has its share: about 100 bytes each. */
const MOST = 500_000
/**
 * The bounds of a share: past it a node is refused, since forgetting a nonce early would let it be replayed. A network of
 * few nodes asks each other for thousands of small items and their pieces; a crowd of keys gets no memory by its number.
 */
const LEAST_PER_NODE = 2000
const MOST_PER_NODE = 50_000
/** Nodes remembered at most: where everybody is admitted, keys cost nothing. */
const MAX_NODES = 10_000
/** Seconds between two searches for nodes that have nothing left to remember. */
const SWEEP_EVERY = 30

/** Nonces that were used within the window, each until it could not be accepted anyway. Times in seconds. */
export class Nonces {
  readonly #used = new Map<NodeId, Map<string, number>>()
  readonly #mostOfOne: number
  #swept = -Infinity

  constructor(mostOfOne: number = MOST_PER_NODE) {
    this.#mostOfOne = mostOfOne
  }

  /** @returns false when it was used before. @throws TooManyRequestsError */
  use(node: NodeId, nonce: string, until: number, now: number): boolean {
    const used = this.#used.get(node) ?? this.#admit(node, now)
    dropOld(used, now)
    if (used.has(nonce)) return false
    const share = Math.min(this.#mostOfOne, Math.max(LEAST_PER_NODE, Math.floor(MOST / this.#used.size)))
    if (used.size >= share) {
      throw new TooManyRequestsError(`node ${node} sent over ${share} signed requests in the window; wait a minute`)
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
