import type { NodeId } from '../identity/index.ts'
import { Branch } from './branch.ts'
import { bucketOf } from './bucket.ts'
import { states } from './gathered.ts'
import type { Claim, HoldingState, Said } from './gathered.ts'
import { PackedHashes, prefixOf } from './packed-hashes.ts'
import type { Holdings } from './schema.ts'

export type { Claim, HoldingState } from './gathered.ts'

/**
 * Who holds what, from the members' holdings, at 20 bytes an item and node. A question about one item asks each member
 * by binary search, which for hundreds of members costs less than the memory of an inverted index; only the bucket that
 * is being asked about many times in a row has one.
 */
export class HolderIndex {
  /** What is public and what is not: members say each in buckets of its own. */
  readonly #shown = new Branch()
  readonly #hidden = new Branch()

  /**
   * Takes a node's newest word on one bucket in place of its former one.
   * @param hidden whether the bucket is of items that are not public
   * @returns the infohashes whose state at that node changed
   */
  set(node: NodeId, bucket: string, holdings: Holdings, hidden = false): string[] {
    const branch = hidden ? this.#hidden : this.#shown
    const before = branch.nodesOf(bucket).get(node)
    const after = pack(holdings)
    const changed = before === undefined ? allOf(holdings) : differences(before, after)
    branch.set(node, bucket, states.every((state) => holdings[state].length === 0) ? undefined : after)
    return changed
  }

  /** Drops all that a node said, when it is no member any more. */
  forget(node: NodeId): void {
    for (const branch of [this.#shown, this.#hidden]) branch.forget(node)
  }

  /** What a node says of an item; `undefined` when nothing. */
  stateOf(node: NodeId, infoHash: string): HoldingState | undefined {
    const said = this.#nodesOf(infoHash).flatMap((nodes) => nodes.get(node) ?? [])
    if (said.length === 0) return undefined
    const prefix = prefixOf(infoHash)
    return states.find((state) => said.some((one) => one[state].has(infoHash, prefix)))
  }

  /** The nodes that say this of an item, in no particular order. */
  nodesWith(infoHash: string, state: HoldingState): NodeId[] {
    const prefix = prefixOf(infoHash)
    const found = new Set<NodeId>()
    for (const nodes of this.#nodesOf(infoHash)) {
      for (const [node, said] of nodes) if (said[state].has(infoHash, prefix)) found.add(node)
    }
    return [...found]
  }

  /** What every node but one says of an item, one claim a node, in no particular order. */
  claimsOf(infoHash: string, except?: NodeId): Claim[] {
    const bucket = bucketOf(infoHash)
    const claims = this.#shown.claimsOf(infoHash, bucket, except)
    for (const { id, state } of this.#hidden.claimsOf(infoHash, bucket, except)) {
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
    for (const [, { held, releasing }] of this.#saidBy(node)) count += held.size + releasing.size
    return count
  }

  /** The buckets, two hex digits each, in which a node says it holds anything; one may come twice. */
  *bucketsOf(node: NodeId): Iterable<string> {
    for (const [bucket, { held, releasing }] of this.#saidBy(node)) if (held.size + releasing.size > 0) yield bucket
  }

  *#saidBy(node: NodeId): Iterable<[bucket: string, said: Said]> {
    for (const branch of [this.#shown, this.#hidden]) yield* branch.saidBy(node)
  }

  #nodesOf(infoHash: string): ReadonlyMap<NodeId, Said>[] {
    const bucket = bucketOf(infoHash)
    return [this.#shown, this.#hidden].map((branch) => branch.nodesOf(bucket))
  }
}

function pack({ held, releasing, refused }: Holdings): Said {
  return { held: PackedHashes.of(held), releasing: PackedHashes.of(releasing), refused: PackedHashes.of(refused) }
}

function allOf(holdings: Holdings): string[] {
  return [...new Set(states.flatMap((state) => holdings[state]))]
}

function differences(before: Said, after: Said): string[] {
  const changed = new Set<string>()
  for (const state of states) for (const hash of before[state].differences(after[state])) changed.add(hash)
  return [...changed]
}
