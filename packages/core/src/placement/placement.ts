import { hexToBytes } from '@noble/hashes/utils.js'
import type { NodeId } from '../identity/index.ts'
import type { Candidate } from './candidate.ts'
import { unitInterval } from './hash64.ts'
import type { Halves } from './hash64.ts'

/** An item as placement sees it. `size` in bytes; `target` counts replicas, the publisher's included. */
export interface Wish {
  /** 40 hex digits. */
  infoHash: string
  size: number
  publisher: NodeId
  target: number
}

/** What is known of an item's holders; both are asked once per member at most. */
export interface Known {
  /** Holds it already, so that free room does not matter. */
  holds(id: NodeId): boolean
  /** Refused it, or was wanted and did not prove it in time: skipped by all. */
  skipped(id: NodeId): boolean
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

/**
 * Who should hold an item, best first: the publisher while it lives and does not drain, then the best scores, a second
 * holder of one zone or operator only when there is no other; nobody who is skipped. Every node computes the same from the same members.
 * @param live members with a heartbeat younger than `repair.grace`, in any order
 */
export function wantedHolders(wish: Wish, live: Iterable<Candidate>, known: Known): NodeId[] {
  const item = itemHalves(wish.infoHash)
  const rest: Scored[] = []
  const chosen = new Chosen()
  for (const member of live) {
    if (member.state === 'draining' || known.skipped(member.id)) continue
    if (member.id === wish.publisher) chosen.add(member)
    else if (mayHold(member, wish, known)) rest.push({ member, score: score(item, member) })
  }
  const spread = (member: Candidate): boolean => !chosen.hasNeighbourOf(member)
  const anyone = (): boolean => true
  for (const fits of [spread, anyone]) {
    while (chosen.ids.length < wish.target) {
      const best = indexOfBest(rest, fits)
      if (best < 0) break
      chosen.add(rest.splice(best, 1)[0]!.member)
    }
  }
  return chosen.ids
}

interface Scored {
  member: Candidate
  score: number
}

/** The holders chosen so far. An empty zone or operator is nobody's neighbour. */
class Chosen {
  readonly ids: NodeId[] = []
  readonly #zones = new Set<string>()
  readonly #operators = new Set<string>()

  add({ id, zone, operator }: Candidate): void {
    this.ids.push(id)
    if (zone !== '') this.#zones.add(zone)
    if (operator !== '') this.#operators.add(operator)
  }

  hasNeighbourOf({ zone, operator }: Candidate): boolean {
    return this.#zones.has(zone) || this.#operators.has(operator)
  }
}

/** Of equal scores the smaller id is better. A target is small, so that looking for each is cheaper than sorting all. */
function indexOfBest(from: readonly Scored[], fits: (member: Candidate) => boolean): number {
  let best = -1
  for (let i = 0; i < from.length; i++) {
    const { member, score: value } = from[i]!
    const leader = from[best]
    const leads =
      leader === undefined || value > leader.score || (value === leader.score && member.id < leader.member.id)
    if (leads && fits(member)) best = i
  }
  return best
}

function mayHold(member: Candidate, wish: Wish, known: Known): boolean {
  return (member.state === 'active' && member.free >= wish.size) || known.holds(member.id)
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
