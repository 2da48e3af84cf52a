import type { Free } from './line.ts'
import { isDoubtful, isLarge, type Candidate, type Rank } from './rank.ts'

export interface SlotsOptions {
  /** Transfers at a time: of first copies, and of repairs beside them. */
  concurrency: number
  repairs?: number
  /** Of items of more than a megabyte at a time, repairs not counted; without it as many as of others. */
  large?: number
  /** Slots of one lane that somebody else takes from as well: how many of them may run here now. */
  shared?: { lane: Rank['lane']; most(): number }
}

/** Which slots are free, beside what runs. */
export function freeSlots(options: SlotsOptions, running: Iterable<Candidate>): Free {
  const { concurrency, repairs = concurrency, large = concurrency, shared } = options
  const mostDoubtful = Math.max(1, concurrency >> 1)
  const slots = { new: concurrency, repair: repairs, large, doubtful: mostDoubtful }
  if (shared !== undefined) slots[shared.lane] = Math.min(slots[shared.lane], shared.most())
  for (const job of running) {
    slots[job.rank.lane]--
    if (job.rank.lane === 'new' && isLarge(job.rank)) slots.large--
    if (job.rank.lane === 'new' && isDoubtful(job)) slots.doubtful--
  }
  const lastForDoubtful = slots.new === 1 && concurrency > 2 && slots.doubtful === mostDoubtful
  return { ...slots, lastForDoubtful }
}
