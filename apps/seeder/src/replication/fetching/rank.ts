/** How soon an item's turn comes. */
export interface Rank {
  /** `new`: a copy that the network never had; `repair`: one in place of a copy that it lost. */
  lane: 'new' | 'repair'
  /** The item is below its least number of copies. */
  urgent: boolean
  /** No live member says that it has the item: it comes after the others, and gives up its place to them. */
  unclaimed?: boolean
  /** Proven copies that there are: the fewer, the sooner. */
  rarity: number
  /** Milliseconds since 1970 when the item was published: the longer ago, the sooner. */
  since: number
  /** Bytes. */
  size: number
  /** Milliseconds that it waits before its first try. */
  delayMs?: number
}

export interface Candidate {
  rank: Rank
  /** Tries that failed. */
  attempts: number
  /** By a clock that nobody sets. */
  notBefore: number
  /** The lower, the longer it waits. */
  turn: number
}

/** Bytes; below, the cost of a transfer is not its bytes. */
const large = 2 ** 20

export function isLarge({ size }: Rank): boolean {
  return size > large
}

/** Of first copies, one that may well fail: those never keep others waiting. */
export function isDoubtful({ rank, attempts }: Pick<Candidate, 'rank' | 'attempts'>): boolean {
  return attempts > 0 || rank.unclaimed === true
}

/**
 * Whether the turn of `a` comes before that of `b`: what somebody has goes first, then what failed less often, then
 * what is below its least number of copies, the rarest, the oldest; else in order of queueing.
 */
export function leads(a: Candidate, b: Candidate): boolean {
  const order = hope(a, b)
  if (order !== 0) return order < 0
  if (a.rank.urgent !== b.rank.urgent) return a.rank.urgent
  return (a.rank.rarity - b.rank.rarity || a.rank.since - b.rank.since || a.turn - b.turn) < 0
}

/** Whether `a` gives up its place before `b` does. */
export function yields(a: Candidate, b: Candidate): boolean {
  return (hope(b, a) || a.turn - b.turn) < 0
}

/** Negative when `a` is likelier to succeed, positive when `b` is. */
export function hope(a: Pick<Candidate, 'rank' | 'attempts'>, b: Pick<Candidate, 'rank' | 'attempts'>): number {
  return Number(a.rank.unclaimed ?? false) - Number(b.rank.unclaimed ?? false) || a.attempts - b.attempts
}
