import type { Assessment, Demand, Duty, View } from './port.ts'
import { isSurplus, othersSure } from './surplus.ts'

const nothing: Duty = { do: 'nothing' }
const keep: Duty = { do: 'keep' }

/** What `view.self` has to do about an item. A draining node keeps what it has, for it may stay after all. */
export function duty(demand: Demand, assessment: Assessment, view: View): Duty {
  const { self } = view
  const { copies, wanted, proven } = assessment
  const isWanted = wanted.includes(self) || view.isPinned(demand.infoHash)
  const drains = view.member(self)?.state === 'draining'
  if (copies.some(({ id }) => id === self)) {
    // A publisher whose copy nobody can prove (a wrong address, say) is not wanted, and has perhaps the only one.
    const mayGo = view.settled && !drains && !isWanted && !demand.publishers.includes(self)
    if (!mayGo || !isSurplus(demand, assessment, view)) return keep
    return { do: 'release', sure: othersSure(assessment, self) >= demand.target }
  }
  if (!isWanted || drains) return nothing
  // A pinned copy replaces none, and what failed an audit is no copy.
  const claimed = copies.filter(({ proof }) => proof !== 'failed').length
  const repair = wanted.includes(self) && isRepair(demand, claimed)
  if (repair && !view.settled) return nothing
  return { do: 'fetch', urgent: proven < demand.min, repair, rarity: proven }
}

/** Copies that were never made are not held up by the bounds on repair. Those of dead members count as made. */
function isRepair({ reached, target }: Demand, claimed: number): boolean {
  return reached || claimed >= target
}
