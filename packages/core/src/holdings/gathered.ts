import type { NodeId } from '../identity/index.ts'
import { prefixOf, type PackedHashes } from './packed-hashes.ts'
import type { Holdings } from './schema.ts'

/** What a node says of an item it has or had to do with. */
export type HoldingState = keyof Holdings

/** What one node says of one item. */
export interface Claim {
  id: NodeId
  state: HoldingState
}

/** What one node says of the items of one bucket. */
export type Said = Record<HoldingState, PackedHashes>

/** Of several states the first counts. */
export const states = ['held', 'releasing', 'refused'] as const satisfies HoldingState[]

interface List extends Claim {
  hashes: PackedHashes
}

/** More than there may be lists in a bucket. */
const mostLists = 2 ** 20

/** All that is said of one bucket as it is now, by infohash: what many nodes say of an item is found by one search. */
export class Gathered {
  readonly #lists: List[] = []
  /** The prefix of an infohash times `mostLists`, plus the number of a list that it is on; ascending. */
  readonly #entries: Float64Array

  constructor(nodes: ReadonlyMap<NodeId, Said>) {
    let size = 0
    for (const [id, said] of nodes) {
      for (const state of states) {
        const hashes = said[state]
        if (hashes.size === 0) continue
        this.#lists.push({ id, state, hashes })
        size += hashes.size
      }
    }
    this.#entries = new Float64Array(size)
    let at = 0
    for (const [number, { hashes }] of this.#lists.entries()) {
      for (const prefix of hashes.prefixes()) this.#entries[at++] = prefix * mostLists + number
    }
    this.#entries.sort()
  }

  /** What every node but one says of an item, one claim a node. */
  claimsOf(infoHash: string, except: NodeId | undefined): Claim[] {
    const prefix = prefixOf(infoHash)
    const claims: Claim[] = []
    const end = (prefix + 1) * mostLists
    for (let at = this.#firstOf(prefix); at < this.#entries.length && this.#entries[at]! < end; at++) {
      const { id, state, hashes } = this.#lists[this.#entries[at]! % mostLists]!
      // A node's lists stand in the order of the states.
      if (id === except || claims.at(-1)?.id === id || !hashes.has(infoHash, prefix)) continue
      claims.push({ id, state })
    }
    return claims
  }

  /** Infohashes are spread evenly, so that the search begins where the prefix should lie and widens from there. */
  #firstOf(prefix: number): number {
    const entries = this.#entries
    const first = prefix * mostLists
    let low = 0
    let high = entries.length
    let middle = Math.trunc((prefix / 2 ** 32) * entries.length)
    let step = 16
    while (low < high) {
      const isBefore = entries[middle]! < first
      if (isBefore) low = middle + 1
      else high = middle
      middle = isBefore ? middle + step : middle - step
      step *= 2
      if (middle < low || middle >= high || step > 256) middle = (low + high) >>> 1
    }
    return low
  }
}
