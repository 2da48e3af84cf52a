import type { NodeId } from '@eldernode/core'
import type { JobView } from '../health/port.ts'
import type { Candidate } from './rank.ts'

const firstRetryMs = 2_000
export const lastRetryMs = 300_000

export interface Job {
  infoHash: string
  /** Whose manifest asks for this copy. */
  publisher: NodeId
}

/** One that waits for its turn. */
export interface Waiting extends Job, Candidate {
  /** Milliseconds since 1970. */
  addedAt: number
  triedAt: number
  reason?: { code: string; detail: string }
}

/** Milliseconds until the next try. @param attempts tries that failed before the last one */
export function backOff(attempts: number, random: () => number): number {
  return Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(attempts, 16)) * (0.5 + random() / 2)
}

/** @param notBefore milliseconds since 1970; absent for one that runs */
export function viewOf({ rank, attempts, reason }: Waiting, notBefore: number | undefined): JobView {
  return {
    lane: rank.lane,
    running: notBefore === undefined,
    attempts,
    ...(notBefore !== undefined && { notBefore }),
    ...(reason && { reason }),
  }
}
