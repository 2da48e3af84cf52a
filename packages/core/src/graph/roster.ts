import type { NodeId } from '../identity/identity.ts'
import type { Certificate, Role, Succession } from '../membership/schema.ts'

/**
 * What a signer's word counts at a time. `former`: it counted when it was signed, but its signer has lost the role
 * since, so that the signature alone no longer shows that it is not backdated.
 */
export type Standing = 'member' | 'former' | 'stranger'

interface Owner {
  pub: NodeId
  /** When the next owner was named; this one's later word counts no more. */
  until: number
}

interface Membership {
  certificate: Certificate
  ts: number
}

/** Who belongs to the network, from the certificates and successions that its owner signed. */
export class Roster {
  readonly #open: boolean
  readonly #owners: Owner[]
  readonly #members = new Map<NodeId, Membership>()

  constructor(firstOwner: NodeId, open: boolean) {
    this.#open = open
    this.#owners = [{ pub: firstOwner, until: Number.POSITIVE_INFINITY }]
  }

  get owner(): NodeId {
    return this.#owners.at(-1)?.pub ?? ''
  }

  /** The number that the next succession must carry. */
  get nextSuccession(): number {
    return this.#owners.length
  }

  /** Takes a checked succession. A number once taken is final: a lost owner key must not rewrite who followed it. */
  succeed(number: number, { owner }: Succession, ts: number): void {
    const last = this.#owners.at(-1)
    if (last === undefined || number !== this.nextSuccession) return
    last.until = ts
    this.#owners.push({ pub: owner, until: Number.POSITIVE_INFINITY })
  }

  certify(certificate: Certificate, ts: number): void {
    const present = this.#members.get(certificate.member)
    if (present === undefined || ts > present.ts) this.#members.set(certificate.member, { certificate, ts })
  }

  /** How `pub`'s word as owner counts that was given at `ts`. */
  ownership(pub: NodeId, ts: number): Standing {
    if (pub === this.owner) return 'member'
    return this.#owners.some((owner) => owner.pub === pub && ts <= owner.until) ? 'former' : 'stranger'
  }

  /** Who may sign succession `number`: the owner before it, while it has no successor. */
  maySucceed(pub: NodeId, number: number): boolean {
    return number === this.nextSuccession && pub === this.owner
  }

  /** How `pub`'s word in a role counts at `now` when it was given at `ts`. */
  standing(pub: NodeId, role: Role | 'any', ts: number, now: number): Standing {
    if (this.#open) return 'member'
    const known = this.#members.get(pub)
    if (known === undefined) return 'stranger'
    const { roles, expiresAt } = known.certificate
    const granted = role === 'any' ? roles.length > 0 : roles.includes(role)
    if (granted && now < expiresAt) return 'member'
    return ts < (granted ? expiresAt : known.ts) ? 'former' : 'stranger'
  }

  /** Whether anything of `pub` could count at all. */
  knows(pub: NodeId): boolean {
    return this.#open || this.#members.has(pub)
  }
}
