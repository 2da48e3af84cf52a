import type { NodeId } from '../identity/index.ts'
import { bucketOf } from './bucket.ts'
import { PackedHashes, searched } from './packed-hashes.ts'
import type { SearchedHash } from './packed-hashes.ts'
import type { Holdings } from './schema.ts'

/** What a node says of an item it has or had to do with. */
export type HoldingState = keyof Holdings

/** What one node says of one item. */
export interface Claim {
  id: NodeId
  state: HoldingState
}

type Bucket = Record<HoldingState, PackedHashes>

const states = ['held', 'releasing', 'refused'] as const satisfies HoldingState[]

/** What is public and what is not: members say each in buckets of its own. */
type Branch = Map<string, Map<NodeId, Bucket>>

/**
 * Who holds what, from the members' holdings, at 20 bytes an item and node. A question about one item asks each member
 * by binary search, which for hundreds of members costs less than the memory of an inverted index.
 */
export class HolderIndex {
  readonly #shown: Branch = new Map()
  readonly #hidden: Branch = new Map()

  /**
   * Takes a node's newest word on one bucket in place of its former one.
   * @param hidden whether the bucket is of items that are not public
   * @returns the infohashes whose state at that node changed
   */
  set(node: NodeId, bucket: string, holdings: Holdings, hidden = false): string[] {
    const buckets = hidden ? this.#hidden : this.#shown
    const nodes = buckets.get(bucket) ?? new Map<NodeId, Bucket>()
    const before = nodes.get(node)
    const after = pack(holdings)
    const changed = before === undefined ? allOf(holdings) : differences(before, after)
    if (states.every((state) => holdings[state].length === 0)) nodes.delete(node)
    else nodes.set(node, after)
    if (nodes.size === 0) buckets.delete(bucket)
    else buckets.set(bucket, nodes)
    return changed
  }

  /** Drops all that a node said, when it is no member any more. */
  forget(node: NodeId): void {
    for (const buckets of [this.#shown, this.#hidden]) {
      for (const [bucket, nodes] of buckets) if (nodes.delete(node) && nodes.size === 0) buckets.delete(bucket)
    }
  }

  /** What a node says of an item; `undefined` when nothing. */
  stateOf(node: NodeId, infoHash: string): HoldingState | undefined {
    const said = this.#bucketsOf(infoHash).flatMap((nodes) => nodes.get(node) ?? [])
    if (said.length === 0) return undefined
    const hash = searched(infoHash)
    return states.find((state) => said.some((bucket) => bucket[state].has(hash)))
  }

  /** The nodes that say this of an item, in no particular order. */
  nodesWith(infoHash: string, state: HoldingState): NodeId[] {
    const hash = searched(infoHash)
    const found = new Set<NodeId>()
    for (const nodes of this.#bucketsOf(infoHash)) {
      for (const [node, bucket] of nodes) if (bucket[state].has(hash)) found.add(node)
    }
    return [...found]
  }

  /** What every node but one says of an item, one claim a node, in no particular order. */
  claimsOf(infoHash: string, except?: NodeId): Claim[] {
    const name = bucketOf(infoHash)
    const [shown, hidden] = [this.#shown.get(name), this.#hidden.get(name)]
    const claims: Claim[] = []
    if (shown === undefined && hidden === undefined) return claims
    const hash = searched(infoHash)
    for (const [id, bucket] of shown ?? []) {
      const state = id === except ? undefined : stateIn(bucket, hash)
      if (state !== undefined) claims.push({ id, state })
    }
    for (const [id, bucket] of hidden ?? []) {
      const state = id === except ? undefined : stateIn(bucket, hash)
      if (state === undefined) continue
      const said = claims.find((claim) => claim.id === id)
      // An item whose access changes is said in both for a while.
      if (said) said.state = states.find((one) => one === said.state || one === state)!
      else claims.push({ id, state })
    }
    return claims
  }

  /** How many items a node says it holds, those it is about to release included. */
  count(node: NodeId): number {
    let count = 0
    for (const buckets of [this.#shown, this.#hidden]) {
      for (const nodes of buckets.values()) {
        const bucket = nodes.get(node)
        if (bucket !== undefined) count += bucket.held.size + bucket.releasing.size
      }
    }
    return count
  }

  /** The buckets, two hex digits each, in which a node says it holds anything; one may come twice. */
  *bucketsOf(node: NodeId): Iterable<string> {
    for (const buckets of [this.#shown, this.#hidden]) {
      for (const [name, nodes] of buckets) {
        const bucket = nodes.get(node)
        if (bucket !== undefined && bucket.held.size + bucket.releasing.size > 0) yield name
      }
    }
  }

  #bucketsOf(infoHash: string): Map<NodeId, Bucket>[] {
    const name = bucketOf(infoHash)
    return [this.#shown, this.#hidden].flatMap((buckets) => buckets.get(name) ?? [])
  }
}

function stateIn(bucket: Bucket, hash: SearchedHash): HoldingState | undefined {
  const { held, releasing, refused } = bucket
  if (held.has(hash)) return 'held'
  if (releasing.size > 0 && releasing.has(hash)) return 'releasing'
  return refused.size > 0 && refused.has(hash) ? 'refused' : undefined
}

function pack({ held, releasing, refused }: Holdings): Bucket {
  return { held: PackedHashes.of(held), releasing: PackedHashes.of(releasing), refused: PackedHashes.of(refused) }
}

function allOf(holdings: Holdings): string[] {
  return [...new Set(states.flatMap((state) => holdings[state]))]
}

function differences(before: Bucket, after: Bucket): string[] {
  const changed = new Set<string>()
  for (const state of states) for (const hash of before[state].differences(after[state])) changed.add(hash)
  return [...changed]
}
