import { sha256OfNode } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import { firstHalves } from './hash64.ts'
import type { Halves } from './hash64.ts'

/** What placement needs to know of a live member. Sizes in bytes; an empty zone or operator is not stated. */
export interface Standing {
  zone: string
  operator: string
  capacity: number
  free: number
  state: 'active' | 'draining' | 'full'
}

/** A live member with the parts of its score that do not depend on the item, computed once. */
export interface Candidate extends Standing {
  readonly id: NodeId
  /** The first 20 bytes of SHA-256(public key): its place beside the infohashes. */
  readonly place: Uint8Array
  readonly halves: Halves
  readonly weight: number
}

/**
 * @param known the same member's former candidate, whose place is taken over: SHA-256 of a public key costs more than
 * thousands of scores
 */
export function candidate(id: NodeId, standing: Standing, known?: Candidate): Candidate {
  // In powers of two, so that a node's placements do not shift with every byte of its disk.
  const weight = standing.capacity < 1 ? 0 : 2 ** Math.floor(Math.log2(standing.capacity))
  if (known !== undefined) return isSame(known, standing) ? known : { ...known, ...standing, weight }
  const digest = sha256OfNode(id)
  return { ...standing, id, place: digest.slice(0, 20), halves: firstHalves(digest), weight }
}

function isSame(one: Standing, { zone, operator, capacity, free, state }: Standing): boolean {
  const isAsLarge = one.capacity === capacity && one.free === free
  return isAsLarge && one.state === state && one.zone === zone && one.operator === operator
}
