import type { Job } from './job.ts'
import type { RememberedOptions } from './remembered.ts'
import type { SlotsOptions } from './slots.ts'

/** `store` is where what waits is remembered; `fault` is told when it, or who is told of something here, failed. */
export interface TransfersOptions extends SlotsOptions, RememberedOptions {
  run: (job: Job, signal: AbortSignal) => Promise<void>
  /** Told of each failed try. The item stays queued, unless the error says for how long it is to be left alone. */
  failed: (job: Job, reason: string, error: unknown) => void
  /** Told when a transfer is over, done or aborted, and has let go of the disk: the item may be decided on anew. */
  settled: (job: Job) => void
  /** Told when a queue that was full has room again. */
  drained: () => void
  /** Told of each repair that begins or ends. */
  repairing?: (infoHashes: readonly string[]) => void
  /** Told when a transfer has ended, one way or another: a slot that is shared may be free. */
  freed?: () => void
  maxQueued: number
  /** Milliseconds since 1970, for what is told and remembered. */
  now: () => number
  /** Milliseconds of a clock that nobody sets, for what is waited for. */
  clock?: () => number
  /** A number in [0, 1), for jitter. */
  random: () => number
}
