import type { Claim, HolderIndex, HoldingState } from '../holdings/index.ts'
import type { NodeId } from '../identity/index.ts'
import type { Candidate } from '../placement/index.ts'
import type { Presence } from '../presence/index.ts'
import type { Proof } from '../proof/index.ts'
import type { View } from './port.ts'
import type { Unproven } from './unproven.ts'

export interface NetworkViewOptions {
  self: NodeId
  presence: Pick<Presence, 'live' | 'get' | 'isSuspected' | 'isSettled'>
  index: Pick<HolderIndex, 'claimsOf'>
  proofs: { proofOf(holder: NodeId, infoHash: string, now: number): Proof }
  unproven: Pick<Unproven, 'vain'>
  /** What this node's own disk says of an item. */
  own(infoHash: string): HoldingState | undefined
  isPinned(infoHash: string): boolean
  /** Milliseconds since 1970. */
  now: () => number
}

/** What one node knows of the network, read where it is kept: it is as young as its sources. */
export class NetworkView implements View {
  readonly self: NodeId
  readonly #options: NetworkViewOptions

  constructor(options: NetworkViewOptions) {
    this.self = options.self
    this.#options = options
  }

  get now(): number {
    return this.#options.now()
  }

  get live(): readonly Candidate[] {
    return this.#options.presence.live()
  }

  get settled(): boolean {
    return this.#options.presence.isSettled()
  }

  readonly member = (id: NodeId): Candidate | undefined => this.#options.presence.get(id)?.candidate

  isSuspected(id: NodeId): boolean {
    return this.#options.presence.isSuspected(id)
  }

  /** What this node has published may be older than what its disk says. */
  claimsOf(infoHash: string): readonly Claim[] {
    const { index, own } = this.#options
    const claims = index.claimsOf(infoHash, this.self)
    const state = own(infoHash)
    if (state !== undefined) claims.push({ id: this.self, state })
    return claims
  }

  proofOf(id: NodeId, infoHash: string): Proof {
    return this.#options.proofs.proofOf(id, infoHash, this.now)
  }

  vain(id: NodeId, infoHash: string): number {
    return this.#options.unproven.vain(id, infoHash)
  }

  isPinned(infoHash: string): boolean {
    return this.#options.isPinned(infoHash)
  }
}
