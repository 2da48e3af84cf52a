import type { NodeId } from '../identity/index.ts'
import { itemHalves, score } from '../placement/index.ts'
import type { Candidate } from '../placement/index.ts'
import { counts } from './assess.ts'
import type { Assessment, Copy, Demand, View } from './port.ts'

/** The live members that placement ranks below this node for an item; of equal scores the greater id is lower. */
export function lowerScored(infoHash: string, { live, self, member }: View): Candidate[] {
  const item = itemHalves(infoHash)
  const own = member(self)
  if (own === undefined) return []
  const mine = score(item, own)
  return live.filter((one) => {
    const its = score(item, one)
    return one.id !== self && (its < mine || (its === mine && one.id > self))
  })
}

/** Whether a copy is there when a node's own has gone: proven, of a live member that neither releases it nor leaves. */
function isOther(copy: Copy, self: NodeId): boolean {
  return copy.id !== self && counts(copy) && !copy.draining
}

/**
 * How many copies are sure to stay when this one goes: those of suspected members are not. A node that drains is done
 * when they are the target of each item.
 */
export function othersSure({ copies }: Pick<Assessment, 'copies'>, self: NodeId): number {
  let sure = 0
  for (const copy of copies) if (!copy.suspected && isOther(copy, self)) sure++
  return sure
}

/**
 * Whether this node's copy is one too many. The lowest score goes first: copies that nobody wants and that rank below
 * this node's are not counted, for they may go at any time.
 */
export function isSurplus({ infoHash, target }: Demand, { copies, wanted }: Assessment, view: View): boolean {
  const others = copies.filter((copy) => isOther(copy, view.self))
  if (others.length < target) return false
  const lower = lowerScored(infoHash, view)
  return others.filter(({ id }) => wanted.includes(id) || !lower.some((one) => one.id === id)).length >= target
}
