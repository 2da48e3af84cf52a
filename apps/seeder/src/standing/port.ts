import type { Assessment, Demand } from '@eldernode/core'

/** What this node is about to do, or failed to do, about an item. Times in milliseconds since 1970. */
export interface ItemJob {
  lane: 'new' | 'repair'
  state: 'waiting' | 'running'
  /** Failed tries so far. */
  attempts: number
  /** The error code of the last failed try. */
  reason?: string
  /** When it is tried again. */
  notBefore?: number
}

/** How one published item stands, as this node sees it. */
export interface ItemHealth extends Demand, Assessment {
  /** Present while this node fetches the item or waits to. */
  job?: ItemJob
}

export interface Amount {
  items: number
  bytes: number
}

/** How all published items stand that this node knows of, counted by the last pass and kept up to date since. */
export interface HealthTotals extends Amount {
  lost: Amount
  /** Fewer proven copies than `min`, without those that are lost. */
  belowMin: Amount
  /** At least `min`, fewer than `target`. */
  belowTarget: Amount
  atTarget: Amount
  surplus: Amount
  /**
   * When the oldest of the proofs that count was given, in milliseconds since 1970; of a bucket of some holder, so that all
   * items are at least so fresh. 0 while there is none.
   */
  oldestProof: number
}

/** Something that an operator should know of until it is over. */
export interface Alarm {
  /** Stable, such as `below_min` or `audit_failed`. */
  code: string
  /** For people: what it is about, and what to do. */
  detail: string
  /** Milliseconds since 1970. */
  since: number
  infoHash?: string
  /** The node it is about. */
  node?: string
}

/** How far a node that is to leave has come: `items` and `bytes` held here whose target the others do not yet meet. */
export interface Draining {
  /** Milliseconds since 1970. */
  since: number
  /** What was held here at the beginning. */
  total: Amount
  left: Amount
  /** Nothing is left: the node may be switched off for good. */
  done: boolean
}

/** What can be asked of how the network's items stand, and done about it. */
export interface Standing {
  /** `undefined` when nobody's manifest of the item is live. */
  health(infoHash: string): ItemHealth | undefined
  /** Published items in the order of their infohashes, those behind `after` ('' for all). Lazy: a caller may stop. */
  published(after: string): Iterable<string>
  totals(): HealthTotals
  alarms(): Alarm[]
  /**
   * Has an item looked at now, ahead of others: its back-off ends, a refusal is forgotten, and what is here is audited anew.
   * @returns false when nobody's manifest of it is live
   */
  repair(infoHash: string): boolean
  /** Has everything moved off this node, over restarts too. Twice is as once. */
  drain(): void
  /** Takes it back. */
  undrain(): void
  /** `undefined` when the node does not drain. */
  draining(): Draining | undefined
  /** Seconds that items took from falling below their target until they were at it again; since the start. @returns ends it */
  onRepaired(listener: (seconds: number) => void): () => void
}
