import { othersSure, type Assessment, type Demand, type Duty, type View } from '@eldernode/core'

const nothing: Duty = { do: 'nothing' }

/**
 * What becomes of a copy here some of whose bytes are lost, and that placement does not want here. It goes once as many
 * others as the target are sure; until then it is made right, for what is left of it may be the last of some pieces.
 */
export function leftover(demand: Demand, assessment: Assessment, view: View): Duty | { do: 'drop' } {
  const { self } = view
  const { infoHash, publishers, min, target } = demand
  if (!view.settled) return nothing
  const stays = publishers.includes(self) || view.isPinned(infoHash)
  if (!stays && othersSure(assessment, self) >= target) return { do: 'drop' }
  const isRefused = view.claimsOf(infoHash).some(({ id, state }) => id === self && state === 'refused')
  if (isRefused || view.member(self)?.state === 'draining') return nothing
  return { do: 'fetch', urgent: assessment.proven < min, repair: true, rarity: assessment.proven }
}
