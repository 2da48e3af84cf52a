import type { Assessment, Demand, Duty } from '@eldernode/core'

export type Level = Assessment['level']

/** A copy that is to be made here. */
export interface JobView {
  /** `new`: a copy that the network never had; `repair`: one in place of a copy that it lost. */
  lane: 'new' | 'repair'
  running: boolean
  /** Tries that failed. */
  attempts: number
  /** Milliseconds since 1970 before which it is not tried; absent while it runs. */
  notBefore?: number
  /** Why the last try failed: an error code and a sentence. */
  reason?: { code: string; detail: string }
}

/** What keeps an item from its target. */
export interface Shortfall {
  code:
    | 'no_copy'
    | 'unproven'
    | 'audit_failed'
    | 'holder_gone'
    | 'releasing'
    | 'draining'
    | 'refused'
    | 'no_room'
    | 'too_few_members'
    | 'copy_pending'
    | 'copy_failing'
  detail: string
}

/** How one item stands, as this node sees it. */
export interface Health {
  demand: Demand
  assessment: Assessment
  /** What this node has to do about it. */
  duty: Duty
  /** Empty when it is at its target and none of its holders drains. */
  why: Shortfall[]
  job?: JobView
}

export interface Amount {
  items: number
  /** Of the items' sizes, each counted once. */
  bytes: number
}

/** All items of the network that this node knows of. */
export interface HealthTotals extends Amount {
  /** Milliseconds since 1970 at which a pass over all of them last ended; 0 before the first. */
  at: number
  levels: Record<Level, Amount>
  /**
   * Milliseconds since 1970 at which that was last proven of the others' copies whose audit is longest ago, counting or
   * not; absent when they claim none.
   */
  oldestProof?: number
}

/** An item came to another level. */
export interface LevelChange {
  infoHash: string
  /** Bytes. */
  size: number
  /** Absent when the item was not known. */
  before: Level | undefined
  /** Absent when nobody's manifest of it is live any more. */
  after: Level | undefined
  /** Milliseconds since 1970. */
  at: number
}

/** Which items to list, in infohash order. */
export interface HealthQuery {
  level?: Level
  /** Only what this node holds and too few others have room for or would take. */
  stuck?: boolean
  /** The last infohash of the page before. */
  after?: string
  limit: number
}

/** How far this node has moved its copies elsewhere. */
export interface Drain {
  /** Milliseconds since 1970. */
  since: number
  /** What is held here. */
  held: Amount
  /** What is held here and has not yet its target of proven copies on others; absent until all was looked at. */
  left?: Amount
  /** What of that too few others have room for or would take; absent likewise. */
  stuck?: Amount
  /** Nothing is left: the node may go. */
  done: boolean
}

/** How the network's items stand, and what can be done about it. */
export interface Standing {
  /** `undefined` when nobody's manifest of the item is live. */
  health(infoHash: string): Health | undefined
  /** Kept up to date by each pass, never counted. */
  totals(): HealthTotals
  /** A page of items, public or not, in infohash order. */
  healths(query: HealthQuery): Health[]
  /** Has `listener` told of each item that came to another level. @returns ends it */
  onLevel(listener: (change: LevelChange) => void): () => void
  /**
   * Has an item looked at now: what waits for another try is tried at once, and a refusal for a failure is forgotten.
   * @returns false when nobody's manifest of it is live
   */
  repair(infoHash: string): boolean
  /** Moves every copy elsewhere: heartbeats say so from now on, over restarts too, and nothing is fetched. */
  drain(): void
  undrain(): void
  /** `undefined` while this node does not drain. */
  draining(): Drain | undefined
}
