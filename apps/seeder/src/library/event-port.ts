import type { Access } from '@eldernode/core'

/** Something that happened, before it has a number. `at` in milliseconds since 1970. */
export interface NewEventRecord {
  type: string
  infoHash?: string
  owner: string
  access: Access
  at: number
  data?: Readonly<Record<string, string | number>>
}

export interface EventRecord extends NewEventRecord {
  /** Rises by one with each event, and is never given twice. */
  id: number
}

/**
 * What is known of the copies of a live item published here. `new`: it never had enough; `enough`: at least `min`;
 * `whole`: as many as it asks for, and at least `min` since; `degraded`: fewer than `min`, after it had them.
 */
export interface CopyRecord {
  infoHash: string
  state: 'new' | 'enough' | 'whole' | 'degraded'
  min: number
  target: number
  owner: string
  access: Access
}

/** What happened lately. Beyond a bound the oldest are forgotten. */
export interface EventStore {
  /**
   * Durable when it returns. @param copies what changed in them; `undefined` forgets an item
   * @returns the same events with their numbers, in that order
   */
  append(events: readonly NewEventRecord[], copies?: ReadonlyMap<string, CopyRecord | undefined>): EventRecord[]
  /** In order, after `id`, at most `limit`. */
  after(id: number, limit: number): EventRecord[]
  get(id: number): EventRecord | undefined
  /** The number of the newest event ever; 0 before the first. */
  newest(): number
  /** The number of the oldest one still known; one more than `newest` when there is none. */
  oldest(): number
  copies(infoHash: string): CopyRecord | undefined
  /** Those of one bucket, the first two hex digits of the infohash. */
  copiesIn(bucket: string): CopyRecord[]
}

/** Who is told of events by HTTP requests. */
export interface WebhookRecord {
  id: string
  /** Whose items it hears of, besides public ones; `everything` when an administrator made it. */
  owner: string
  everything: boolean
  url: string
  /** Empty for all. */
  types: string[]
  label: string
  /** `whsec_` and the key in base64. */
  secret: string
  active: boolean
  createdAt: number
  /** The number of the last event that was taken for it. */
  position: number
  /** Events it took, and events that it never took. */
  delivered: number
  givenUp: number
  /** How the last request ended, in milliseconds since 1970 and in words. */
  lastAt?: number
  lastOutcome?: string
}

/** An event that a webhook did not take yet. */
export interface Delivery {
  event: number
  attempts: number
  /** Milliseconds since 1970. */
  nextAt: number
}

/** Every change is durable when it returns. */
export interface WebhookStore {
  all(): WebhookRecord[]
  /** Those of one owner. */
  of(owner: string): WebhookRecord[]
  get(id: string): WebhookRecord | undefined
  /** Adds it, or takes the place of the one with that id. */
  put(webhook: WebhookRecord): void
  /** @returns whether there was one */
  delete(id: string): boolean
  /** In the order in which they are due, at most `limit`. */
  deliveries(id: string, limit: number): Delivery[]
  pending(id: string): number
  /** Makes one inactive that is past `position`, with nothing to be sent again. */
  silence(id: string, position: number, lastOutcome: string): void
  /**
   * Notes where a webhook is with its events. `again`: when to try this event again; without it the event is done with.
   * A webhook that is gone is no error.
   */
  settle(id: string, change: WebhookProgress): void
}

export interface WebhookProgress {
  position: number
  event?: number
  again?: Omit<Delivery, 'event'>
  delivered?: number
  givenUp?: number
  lastAt?: number
  lastOutcome?: string
  active?: boolean
}
