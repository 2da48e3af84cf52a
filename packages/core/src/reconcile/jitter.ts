import { itemHalves, unitInterval } from '../placement/index.ts'
import type { Candidate } from '../placement/index.ts'

/** Milliseconds within which the repairs that one fault makes due begin, spread over items and nodes. */
const spread = 15_000

/** How long a node waits before it repairs an item: always the same for both, so that a pass that repeats moves nothing. */
export function repairDelay(infoHash: string, { halves }: Pick<Candidate, 'halves'>): number {
  const { high, low } = itemHalves(infoHash)
  // Swapped, for the score of placement has used the halves as they are: who is wanted would always wait as long.
  return Math.floor(unitInterval(low ^ halves.high, high ^ halves.low) * spread)
}
