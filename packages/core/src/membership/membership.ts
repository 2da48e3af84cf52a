import { networkIdOf } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import type { Certificate, Role, Succession } from './schema.ts'

/**
 * What a signer's word counts at a time. `former`: it counted when it was signed, but its signer has lost the role
 * since, so that the signature alone no longer shows that it is not backdated.
 */
export type MemberStanding = 'member' | 'former' | 'stranger'

interface Owner {
  pub: NodeId
  /** When the next owner was named; this one's later word counts no more. */
  until: number
}

interface Member {
  certificate: Certificate
  ts: number
}

/** Successions and certificates kept at most. Only the owner can add any, so this bounds a mistake, not an attack. */
const MOST_OWNERS = 1000
const MOST_MEMBERS = 20_000
/** Lost keys may be replaced again and again, but nobody is led round in a circle. */
const MOST_SUCCESSORS = 16

/**
 * Who belongs to the network, from the certificates and successions that its owners signed. Signatures are checked
 * before: whether their signer may have given its word is asked here (`ownership`, `maySucceed`). Times in milliseconds.
 */
export class Membership {
  /** The network's id; it stays when its owner changes. */
  readonly network: string
  readonly #open: boolean
  readonly #owners: Owner[]
  readonly #early = new Map<number, { owner: NodeId; ts: number }>()
  readonly #members = new Map<NodeId, Member>()

  /** @param open admits everybody in every role */
  constructor(firstOwner: NodeId, open: boolean) {
    this.network = networkIdOf(firstOwner)
    this.#open = open
    this.#owners = [{ pub: firstOwner, until: Infinity }]
  }

  /** The present owner's key. */
  get owner(): NodeId {
    return this.#owners.at(-1)!.pub
  }

  /** The number that the next succession must carry; the first one's is 1. */
  get nextSuccession(): number {
    return this.#owners.length
  }

  /**
   * Takes a checked succession. A number once taken is final: a lost owner key must not rewrite who followed it. One
   * that is ahead of its turn, as a store in key order gives 10 before 2, waits for those before it.
   */
  succeed(number: number, { owner }: Succession, ts: number): void {
    if (number < this.nextSuccession || number > MOST_OWNERS) return
    if (!this.#early.has(number)) this.#early.set(number, { owner, ts })
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      this.#owners.at(-1)!.until = next.ts
      this.#owners.push({ pub: next.owner, until: Infinity })
    }
  }

  /** Takes a checked certificate; the newest of each member counts. */
  certify(certificate: Certificate, ts: number): void {
    const present = this.#members.get(certificate.member)
    if (present === undefined ? this.#members.size >= MOST_MEMBERS : ts <= present.ts) return
    this.#members.set(certificate.member, { certificate, ts })
  }

  /** How `pub`'s word as owner counts that was given at `ts`. */
  ownership(pub: NodeId, ts: number): MemberStanding {
    if (pub === this.owner) return 'member'
    return this.#owners.some((owner) => owner.pub === pub && ts <= owner.until) ? 'former' : 'stranger'
  }

  /** Who may sign succession `number`: the owner before it, while it has no successor. */
  maySucceed(pub: NodeId, number: number): boolean {
    return number === this.nextSuccession && number <= MOST_OWNERS && pub === this.owner
  }

  /** How `pub`'s word in a role counts at `now` when it was given at `ts`. */
  standing(pub: NodeId, role: Role | 'any', ts: number, now: number): MemberStanding {
    if (this.#open) return 'member'
    const known = this.#members.get(pub)
    if (known === undefined) return 'stranger'
    const { roles, expiresAt } = known.certificate
    const granted = role === 'any' ? roles.length > 0 : roles.includes(role)
    if (granted && now < expiresAt) return 'member'
    return ts < (granted ? expiresAt : known.ts) ? 'former' : 'stranger'
  }

  /** Whether `pub` may give its word in a role at `now`. */
  isMember(pub: NodeId, role: Role | 'any', now: number): boolean {
    return this.standing(pub, role, now, now) === 'member'
  }

  /** Whether anything of `pub` could count at all. */
  knows(pub: NodeId): boolean {
    return this.#open || this.#members.has(pub)
  }

  /** Those who may give their word in a role at `now`; of an open network only those with a certificate. */
  *members(role: Role | 'any', now: number): Iterable<NodeId> {
    for (const pub of this.#members.keys()) if (this.isMember(pub, role, now)) yield pub
  }

  /** The newest certificate of a member, revoked and expired ones included. */
  certificateOf(pub: NodeId): Certificate | undefined {
    return this.#members.get(pub)?.certificate
  }

  /** Who runs a member, in its owner's word; `undefined` where no certificate says so. */
  operatorOf(pub: NodeId): string | undefined {
    const operator = this.certificateOf(pub)?.operator
    return operator === '' ? undefined : operator
  }

  /** The key that now speaks for a lost one's manifests; `pub` itself when none was named. */
  successorOf(pub: NodeId): NodeId {
    let last = pub
    for (let step = 0; step < MOST_SUCCESSORS; step++) {
      const next = this.certificateOf(last)?.successor
      if (next === undefined || next === pub) return last
      last = next
    }
    return last
  }

  #take(): { owner: NodeId; ts: number } | undefined {
    const next = this.#early.get(this.nextSuccession)
    this.#early.delete(this.nextSuccession)
    return next
  }
}
