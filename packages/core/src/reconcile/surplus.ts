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

/**
 * Copies that are sure to be there when a node's own has gone: proven, of members that live, are not suspected, and are
 * about to release theirs or to leave neither.
 */
function sureWithout(self: NodeId, copies: readonly Copy[]): Copy[] {
  return copies.filter((copy) => copy.id !== self && counts(copy) && !copy.suspected && !copy.draining)
}

/** How many copies stay for sure when this one goes: a node that drains is done when they are the target of each item. */
export function othersSure({ copies }: Pick<Assessment, 'copies'>, self: NodeId): number {
  return sureWithout(self, copies).length
}

/**
 * Whether this node's copy is one too many. The lowest score goes first: copies that nobody wants and that rank below
 * this node's are not counted, for they may go at any time.
 */
export function isSurplus({ infoHash, target }: Demand, { copies, wanted }: Assessment, view: View): boolean {
  const sure = sureWithout(view.self, copies)
  if (sure.length < target) return false
  const lower = lowerScored(infoHash, view)
  return sure.filter(({ id }) => wanted.includes(id) || !lower.some((one) => one.id === id)).length >= target
}
