import type { NodeId } from '../identity/index.ts'
import { Gathered } from './gathered.ts'
import type { Claim, Said } from './gathered.ts'
import { prefixOf } from './packed-hashes.ts'

/** Questions about one bucket in a row that are answered node by node: after them it is put together. */
const fewQuestions = 8

const nobody: ReadonlyMap<NodeId, Said> = new Map()

/** What nodes say, bucket by bucket. */
export class Branch {
  readonly #buckets = new Map<string, Map<NodeId, Said>>()
  #asked = ''
  #questions = 0
  #gathered: Gathered | undefined

  /** What each node says of a bucket. */
  nodesOf(bucket: string): ReadonlyMap<NodeId, Said> {
    return this.#buckets.get(bucket) ?? nobody
  }

  /** @param said `undefined` when a node has nothing to say of the bucket any more */
  set(node: NodeId, bucket: string, said: Said | undefined): void {
    this.#change()
    const nodes = this.#buckets.get(bucket) ?? new Map<NodeId, Said>()
    if (said === undefined) nodes.delete(node)
    else nodes.set(node, said)
    if (nodes.size === 0) this.#buckets.delete(bucket)
    else this.#buckets.set(bucket, nodes)
  }

  forget(node: NodeId): void {
    this.#change()
    for (const [bucket, nodes] of this.#buckets)
      if (nodes.delete(node) && nodes.size === 0) this.#buckets.delete(bucket)
  }

  /** What a node says, bucket by bucket. */
  *saidBy(node: NodeId): Iterable<[bucket: string, said: Said]> {
    for (const [bucket, nodes] of this.#buckets) {
      const said = nodes.get(node)
      if (said !== undefined) yield [bucket, said]
    }
  }

  /**
   * What every node but one says of an item. A pass asks of all items of a bucket before those of the next: then one
   * search finds what else takes one of each node.
   */
  claimsOf(infoHash: string, bucket: string, except: NodeId | undefined): Claim[] {
    const nodes = this.#buckets.get(bucket)
    const claims: Claim[] = []
    if (nodes === undefined) return claims
    if (bucket !== this.#asked) this.#change()
    this.#asked = bucket
    if (++this.#questions > fewQuestions) {
      this.#gathered ??= new Gathered(nodes)
      return this.#gathered.claimsOf(infoHash, except)
    }
    const prefix = prefixOf(infoHash)
    for (const [id, said] of nodes) {
      const state = id === except ? undefined : stateIn(said, infoHash, prefix)
      if (state !== undefined) claims.push({ id, state })
    }
    return claims
  }

  #change(): void {
    this.#questions = 0
    this.#gathered = undefined
  }
}

function stateIn(said: Said, infoHash: string, prefix: number): Claim['state'] | undefined {
  const { held, releasing, refused } = said
  if (held.has(infoHash, prefix)) return 'held'
  if (releasing.size > 0 && releasing.has(infoHash, prefix)) return 'releasing'
  return refused.size > 0 && refused.has(infoHash, prefix) ? 'refused' : undefined
}
