import { hexToBytes } from '@noble/hashes/utils.js'
import type { NodeId } from '../identity/index.ts'
import type { Candidate } from './candidate.ts'
import { unitInterval } from './hash64.ts'
import type { Halves } from './hash64.ts'

/** An item as placement sees it. `size` in bytes; `target` counts replicas, those of its publishers included. */
export interface Wish {
  /** 40 hex digits. */
  readonly infoHash: string
  readonly size: number
  readonly publishers: readonly NodeId[]
  readonly target: number
}

/** What is known of an item's holders. */
export interface Known {
  /** Holds it already, so that free room does not matter. */
  holds(id: NodeId): boolean
  /** Said that it will not hold it: passed by, whoever else there is. */
  refused(id: NodeId): boolean
  /**
   * How often it was wanted and did not prove it in time; unless 0 it is skipped, and chosen only when there is no other:
   * whoever was waited for the least first, so that everybody has a turn.
   */
  vain(id: NodeId): number
}

/** The item's part of a score: its first 8 bytes. */
export function itemHalves(infoHash: string): Halves {
  return { high: Number.parseInt(infoHash.slice(0, 8), 16), low: Number.parseInt(infoHash.slice(8, 16), 16) }
}

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005):
 * weight / -ln(u). A member's share of all items is its share of the weights, and its leaving moves only its own.
 */
export function score(item: Halves, member: Pick<Candidate, 'halves' | 'weight'>): number {
  return member.weight / -Math.log(unitInterval(item.high ^ member.halves.high, item.low ^ member.halves.low))
}

/** In place of a score, which is never below zero. */
const excluded = -1

/**
 * Who should hold an item, best first: its publishers while they live and do not drain, then the best scores, a second
 * holder of one zone or operator only when there is no other, and last who was skipped. Nobody who refused. Every node
 * computes the same from the same members.
 * @param live members with a heartbeat younger than `repair.grace`, in any order
 */
export function wantedHolders(wish: Wish, live: readonly Candidate[], known: Known): NodeId[] {
  const item = itemHalves(wish.infoHash)
  const scores = scoresFor(live.length)
  const chosen = new Chosen()
  for (let i = 0; i < live.length; i++) {
    const member = live[i]!
    const isPublisher = wish.publishers.includes(member.id)
    scores[i] = isPublisher || member.state === 'draining' ? excluded : score(item, member)
    if (!isPublisher || member.state === 'draining') continue
    if (!known.refused(member.id) && known.vain(member.id) === 0) chosen.add(member)
  }
  const passedBy: Candidate[] = []
  const skipped: Candidate[] = []
  while (chosen.ids.length < wish.target) {
    const best = indexOfBest(scores, live)
    if (best < 0) break
    scores[best] = excluded
    const member = live[best]!
    // Asked in the order of the scores, so that of many members the few that matter are.
    if (!mayHold(member, wish, known)) continue
    if (known.vain(member.id) > 0) skipped.push(member)
    else if (chosen.hasNeighbourOf(member)) passedBy.push(member)
    else chosen.add(member)
  }
  if (chosen.ids.length >= wish.target) return chosen.ids
  const byTurn = skipped.toSorted((a, b) => known.vain(a.id) - known.vain(b.id))
  for (const member of [...passedBy, ...byTurn]) {
    if (chosen.ids.length >= wish.target) break
    chosen.add(member)
  }
  return chosen.ids
}

/** Scores of one item at a time, in memory that is used again. */
let room = new Float64Array(32)

function scoresFor(members: number): Float64Array {
  if (room.length < members) room = new Float64Array(2 * members)
  return room
}

/** The holders chosen so far. An empty zone or operator is nobody's neighbour. */
class Chosen {
  readonly ids: NodeId[] = []
  readonly #members: Candidate[] = []

  add(member: Candidate): void {
    this.ids.push(member.id)
    this.#members.push(member)
  }

  hasNeighbourOf({ zone, operator }: Candidate): boolean {
    return this.#members.some(
      (member) => (zone !== '' && member.zone === zone) || (operator !== '' && member.operator === operator),
    )
  }
}

/** Of equal scores the smaller id is better. A target is small, so that looking for each is cheaper than sorting all. */
function indexOfBest(scores: Readonly<Float64Array>, live: readonly Candidate[]): number {
  let best = -1
  let greatest = 0
  for (let i = 0; i < live.length; i++) {
    const value = scores[i]!
    if (value < greatest || (value === greatest && best >= 0 && live[i]!.id > live[best]!.id)) continue
    best = i
    greatest = value
  }
  return best
}

function mayHold(member: Candidate, wish: Wish, known: Known): boolean {
  const hasRoom = member.state === 'active' && member.free >= wish.size
  return (hasRoom || known.holds(member.id)) && !known.refused(member.id)
}

/** The live member whose SHA-256(pub)[0..20] is nearest to the infohash by XOR: it acts for the item when one must. */
export function repairer(infoHash: string, live: Iterable<Candidate>): NodeId | undefined {
  const target = hexToBytes(infoHash)
  let nearest: Candidate | undefined
  for (const member of live) {
    if (nearest === undefined || isNearer(member.place, nearest.place, target)) nearest = member
  }
  return nearest?.id
}

function isNearer(a: Uint8Array, b: Uint8Array, target: Uint8Array): boolean {
  for (let i = 0; i < 20; i++) {
    const difference = (a[i]! ^ target[i]!) - (b[i]! ^ target[i]!)
    if (difference !== 0) return difference < 0
  }
  return false
}
