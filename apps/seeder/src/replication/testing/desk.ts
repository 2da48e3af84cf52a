import { afterEach, beforeEach, vi } from 'vitest'
import type { Rank } from '../fetching/rank.ts'
import type { Job } from '../fetching/job.ts'
import { Transfers } from '../fetching/transfers.ts'
import type { TransfersOptions } from '../fetching/transfers-options.ts'

/** A run whose jobs stay open until the test settles them. */
class Desk {
  readonly open = new Map<string, { resolve: () => void; reject: (error: unknown) => void; signal: AbortSignal }>()
  readonly started: string[] = []

  run = (job: Job, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      this.started.push(job.infoHash)
      this.open.set(job.infoHash, { resolve, reject, signal })
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
}

export const job = (infoHash: string): Job => ({ infoHash, publisher: 'p' })
export const microtasks = () => vi.advanceTimersByTimeAsync(0)
export const rank = (changes: Partial<Rank> = {}): Rank => ({
  lane: 'new',
  urgent: false,
  rarity: 1,
  since: 1,
  size: 1,
  ...changes,
})
export let desk: Desk
/** What the transfers told. */
export let events: string[]

export function transfers(options: Partial<TransfersOptions> = {}): Transfers {
  return new Transfers({
    run: desk.run,
    failed: (failed, reason) => events.push(`failed ${failed.infoHash} ${reason}`),
    settled: (ended) => events.push(`settled ${ended.infoHash}`),
    drained: () => events.push('drained'),
    concurrency: 2,
    maxQueued: 100,
    now: Date.now,
    random: () => 1,
    ...options,
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  desk = new Desk()
  events = []
})

afterEach(() => {
  vi.useRealTimers()
})
