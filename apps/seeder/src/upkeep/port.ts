/** Background work on what this node holds, apart from copying it. */
export interface Upkeep {
  start(): void
  /** Looks again at what is due, after an item was retracted or restored. */
  nudge(): void
  stats(): { purged: number }
  close(): Promise<void>
}
