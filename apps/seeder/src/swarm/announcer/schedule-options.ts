import type { InfoHashTable } from '../awake/info-hash-table.ts'
import type { AnnounceAnswer, Progress, TrackerConnection } from './port.ts'

export interface ScheduleOptions {
  tracker: TrackerConnection
  /** Where the slots are from. A slot stays the same infohash until it was removed here. */
  table: InfoHashTable
  /** Announces under way at a time. */
  concurrency: number
  /** Whether the tracker must be told when this node stops; one that sees the connection end need not. */
  farewell: boolean
  /** Progress of a torrent; undefined for one that sleeps. */
  progress: (infoHash: string) => Progress | undefined
  answered: (infoHash: string, answer: AnnounceAnswer) => void
  failed: (error: unknown) => void
  /** The tracker does not answer any more, or answers again. */
  stands?: (up: boolean, error?: unknown) => void
  /** Milliseconds, from any time on. */
  now: () => number
  /** 0 to 1, spreads retries of many nodes. */
  random: () => number
}
