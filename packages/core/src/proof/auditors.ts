import { fromBase64url, sha256, sha256OfNode } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'

/** How many live members audit each holder's bucket. */
export const AUDITORS = 2
/** How many of all members are believed of it, so that the results of one that died do not go with it at once. */
export const BELIEVED = 4

const buckets = 256

interface Distance {
  id: NodeId
  high: number
  low: number
}

/**
 * Who audits whom: of each holder and bucket those members, the holder excepted, whose SHA-256(public key)[0..8] is
 * nearest by XOR to SHA-256(holder's public key ‖ bucket as one byte)[0..8]; of two equally near the smaller id.
 */
export class Auditors {
  #members = new Map<NodeId, Distance>()
  readonly #targets = new Map<NodeId, Uint32Array>()

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
    const targets = this.#targetsOf(holder)
    const at = Number.parseInt(bucket, 16) * 2
    const [high, low] = [targets[at]!, targets[at + 1]!]
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

  #targetsOf(holder: NodeId): Uint32Array {
    let targets = this.#targets.get(holder)
    if (targets === undefined) this.#targets.set(holder, (targets = targetsOf(holder)))
    return targets
  }
}

/** Where the auditors of each bucket are looked for, as pairs of unsigned 32-bit numbers. */
function targetsOf(holder: NodeId): Uint32Array {
  const named = new Uint8Array(33)
  named.set(fromBase64url(holder))
  const targets = new Uint32Array(buckets * 2)
  for (let bucket = 0; bucket < buckets; bucket++) {
    named[32] = bucket
    const { high, low } = halves(sha256(named))
    targets.set([high, low], bucket * 2)
  }
  return targets
}

function halves(digest: Uint8Array): { high: number; low: number } {
  const view = new DataView(digest.buffer, digest.byteOffset, 8)
  return { high: view.getUint32(0), low: view.getUint32(4) }
}

function isNearer(a: Distance, b: Distance): boolean {
  if (a.high !== b.high) return a.high < b.high
  return a.low === b.low ? a.id < b.id : a.low < b.low
}
