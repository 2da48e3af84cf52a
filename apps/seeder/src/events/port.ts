import type { Access } from '@eldernode/core'

/**
 * `replicated`: an item published here has as many copies as it asks for; `degraded`: fewer than it must have, after it
 * had them. `released`: a copy here was given up, for the network has enough others. `audit.failed`: an auditor did not get
 * a piece of a copy here. Imports tell how they go.
 */
export const eventTypes = [
  'published',
  'replicated',
  'degraded',
  'retracted',
  'released',
  'audit.failed',
  'import.started',
  'import.done',
  'import.failed',
  'import.cancelled',
] as const
export type EventType = (typeof eventTypes)[number]

/** Something that happened, of interest to the owner of an item, and to everybody when the item is public. */
export interface NewEvent {
  type: EventType
  /** Absent while there is no item yet, as of an import that began. */
  infoHash?: string
  /** The item's, or of who asked for the import; empty for the operator. */
  owner: string
  access: Access
  /** Milliseconds since 1970. */
  at: number
  /** A few words more, such as the id of an import. */
  data?: Readonly<Record<string, string | number>>
}

/** What other rooms tell. Publications and retractions are seen in the graph and need no telling. */
export interface Events {
  /** Takes it at once, has it on disk within moments, and tells those who listen then. */
  emit(event: NewEvent): void
}
