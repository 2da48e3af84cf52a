import { fromBase64url, sha256, sha256OfNode } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'

/** How many live members audit each holder's bucket. */
export const AUDITORS = 2
/** How many of all members are believed of it, so that the results of one that died do not go with it at once. */
export const BELIEVED = 4

const buckets = 256

/** Unsigned 32-bit numbers. */
interface Halves {
  high: number
  low: number
}

interface Distance extends Halves {
  id: NodeId
}

/**
 * Who audits whom: of each holder and bucket those members, the holder excepted, whose SHA-256(public key)[0..8] is
 * nearest by XOR to SHA-256(holder's public key ‖ bucket as one byte)[0..8]; of two equally near the smaller id.
 */
export class Auditors {
  #members = new Map<NodeId, Distance>()
  readonly #targets = new Map<NodeId, Targets>()

  /** Takes the members that may audit in place of the former ones. @returns whether they are others than before */
  set(members: Iterable<NodeId>): boolean {
    const before = this.#members
    this.#members = new Map()
    for (const id of members) {
      this.#members.set(id, before.get(id) ?? { id, ...halves(sha256OfNode(id)) })
    }
    return before.size !== this.#members.size || [...before.keys()].some((id) => !this.#members.has(id))
  }

  /** The nearest ones, nearest first. @param bucket two hex digits */
  of(holder: NodeId, bucket: string, count: number = AUDITORS): NodeId[] {
    const { high, low } = this.#targetsOf(holder).of(Number.parseInt(bucket, 16))
    const nearest: Distance[] = []
    for (const member of this.#members.values()) {
      if (member.id === holder) continue
      const one = { id: member.id, high: (member.high ^ high) >>> 0, low: (member.low ^ low) >>> 0 }
      let place = nearest.length
      while (place > 0 && isNearer(one, nearest[place - 1]!)) place--
      if (place === count) continue
      nearest.splice(place, 0, one)
      if (nearest.length > count) nearest.pop()
    }
    return nearest.map(({ id }) => id)
  }

  #targetsOf(holder: NodeId): Targets {
    let targets = this.#targets.get(holder)
    if (targets === undefined) this.#targets.set(holder, (targets = new Targets(holder)))
    return targets
  }
}

/** Where the auditors of each bucket of one holder are looked for, each found out when it is first asked for. */
class Targets {
  /** The holder's public key, and a bucket behind it. */
  readonly #named = new Uint8Array(33)
  readonly #known = Array<Halves | undefined>(buckets).fill(undefined)

  constructor(holder: NodeId) {
    this.#named.set(fromBase64url(holder))
  }

  of(bucket: number): Halves {
    this.#named[32] = bucket
    return (this.#known[bucket] ??= halves(sha256(this.#named)))
  }
}

function halves(digest: Uint8Array): Halves {
  const view = new DataView(digest.buffer, digest.byteOffset, 8)
  return { high: view.getUint32(0), low: view.getUint32(4) }
}

function isNearer(a: Distance, b: Distance): boolean {
  if (a.high !== b.high) return a.high < b.high
  return a.low === b.low ? a.id < b.id : a.low < b.low
}
