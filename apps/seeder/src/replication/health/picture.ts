import type { Claim, HolderIndex, NodeId, View } from '@eldernode/core'
import type { Library } from '../../library/index.ts'
import type { Roster } from '../members/roster.ts'

export interface PictureOptions {
  self: NodeId
  roster: Pick<Roster, 'candidates' | 'get'>
  index: Pick<HolderIndex, 'claimsOf'>
  library: Pick<Library, 'condition'>
  settled(): boolean
  now: () => number
}

/** What this node knows of the network, for core's questions. */
export class Picture {
  readonly #options: PictureOptions

  constructor(options: PictureOptions) {
    this.#options = options
  }

  take(): View {
    const { self, roster, settled, now } = this.#options
    const live = roster.candidates()
    const members = new Map(live.map((member) => [member.id, member]))
    return {
      self,
      now: now(),
      live,
      member: (id) => members.get(id),
      isSuspected: (id) => roster.get(id)?.suspected !== false,
      claimsOf: (infoHash) => this.#claimsOf(infoHash),
      proofOf: () => 'unknown',
      isSkipped: () => false,
      isPinned: () => false,
      settled: settled(),
    }
  }

  #claimsOf(infoHash: string): Claim[] {
    const { self, index, library } = this.#options
    const claims = index.claimsOf(infoHash)
    if (library.condition(infoHash) === 'held') claims.push({ id: self, state: 'held' })
    return claims
  }
}
