/** Finds out what published media is, and makes previews of it, one item after the other, in processes of their own. */
export interface Describer {
  /** Begins with what waits, unless it is at it. */
  look(): void
  /** What does not work for want of a tool, in words. */
  missing(): string[]
  /** Resolves once nothing waits that could be worked on now. */
  idle(): Promise<void>
  start(): void
  /** Ends the processes under way; their items wait for the next start. */
  close(): Promise<void>
}
