/** Background work on what this node holds, apart from copying it. */
export interface Upkeep {
  start(): void
  /** Looks again at what is due, after an item was published, retracted or restored. */
  nudge(): void
  /** Items expired and purged, and rounds through all stored files, since the start. */
  stats(): { expired: number; purged: number; surveys: number }
  close(): Promise<void>
}
