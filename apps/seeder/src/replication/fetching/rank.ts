/** How soon an item's turn comes. */
export interface Rank {
  /** `new`: a copy that the network never had; `repair`: one in place of a copy that it lost. */
  lane: 'new' | 'repair'
  /** The item is below its least number of copies. */
  urgent: boolean
  /** Proven copies that there are: the fewer, the sooner. */
  rarity: number
  /** Milliseconds since 1970 when the item was published: the longer ago, the sooner. */
  since: number
  /** Bytes. */
  size: number
  /** Milliseconds that it waits before its first try. */
  delayMs?: number
}

/** Slots that are free. */
export interface Free {
  new: number
  repair: number
  /** Of `new`, those for large items, and for items that failed before: hopeless ones never keep others waiting. */
  large: number
  retries: number
  /** The last slot of `new` is kept for one that failed before, if one is due. */
  lastForRetry: boolean
  isLarge(size: number): boolean
}

interface Candidate {
  rank: Rank
  attempts: number
  notBefore: number
}

function isBefore(a: Rank, b: Rank): boolean {
  if (a.urgent !== b.urgent) return a.urgent
  return a.rarity === b.rarity ? a.since < b.since : a.rarity < b.rarity
}

/**
 * The item whose turn it is: of those that are due and have a free slot one that failed less often, then one below its
 * least number of copies, the rarest, the oldest; else in order of queueing.
 */
export function firstOf<T extends Candidate>(waiting: Iterable<T>, now: number, free: Free): T | undefined {
  let best: T | undefined
  let retry: T | undefined
  for (const one of waiting) {
    if (one.notBefore > now || !fits(one, free)) continue
    if (leads(one, best)) best = one
    if (one.attempts > 0 && one.rank.lane === 'new' && leads(one, retry)) retry = one
  }
  return free.lastForRetry && best?.rank.lane === 'new' ? (retry ?? best) : best
}

function leads(one: Candidate, best: Candidate | undefined): boolean {
  if (best === undefined || one.attempts !== best.attempts) return best === undefined || one.attempts < best.attempts
  return isBefore(one.rank, best.rank)
}

function fits({ rank, attempts }: Candidate, free: Free): boolean {
  if (rank.lane === 'repair') return free.repair > 0
  if (free.new <= 0 || (attempts > 0 && free.retries <= 0)) return false
  return free.large > 0 || !free.isLarge(rank.size)
}
