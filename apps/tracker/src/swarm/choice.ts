import { happened } from './announce.ts'
import { mostPeers } from './answer.ts'
import type { MemberLists } from './member-lists.ts'

/** Out of so many times the wish peers are told in small groups: each is as likely as any other, and memory is read in order. */
const crowd = 8
const neighbours = 4

/**
 * Tells who asks of others at random: one of each of so many equal parts of all who may be told, so that nobody is told
 * twice.
 *
 * @param givers the list of those that only give; the next one is of those that fetch
 * @param own the list of the asker, and where it is there
 * @returns how many were written
 */
export const choose = (
  lists: MemberLists,
  givers: number,
  own: number,
  ownPosition: number,
  wanted: number,
  event: number,
  random: () => number,
  into: Int32Array,
): number => {
  const isGiver = (own & 1) === 0
  // Who fetches nothing has no use for those who fetch nothing either. Some say at first that nothing is left while
  // they have nothing but a magnet (aria2).
  const giving = isGiver && event !== happened.started ? 0 : lists.count(givers)
  const all = giving + lists.count(givers + 1)
  const isAmongGiving = own === givers && giving > 0
  const isAmong = isAmongGiving || own === givers + 1
  const self = isAmong ? ownPosition + (isAmongGiving ? 0 : giving) : all
  const others = self < all ? all - 1 : all
  const count = Math.min(wanted, others, mostPeers)
  const run = others > crowd * count ? neighbours : 1
  let start = 0
  let part = 0
  let offset = 0
  for (let i = 0; i < count; i++) {
    if (i % run === 0) {
      start += part
      part = Math.floor((Math.min(i + run, count) * others) / count) - start
      offset = part > 1 ? Math.floor(random() * part) : 0
    } else if (++offset === part) offset = 0
    const position = start + offset
    const at = position < self ? position : position + 1
    into[i] = at < giving ? lists.at(givers, at) : lists.at(givers + 1, at - giving)
  }
  return count
}
