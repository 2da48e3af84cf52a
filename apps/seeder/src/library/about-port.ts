import type { About, NodeId } from '@eldernode/core'
import type { ItemHead, Rights } from './item-port.ts'

export interface ExpiryPosition {
  /** Milliseconds since 1970. */
  expiresAt: number
  infoHash: string
}

export interface Expired extends ExpiryPosition {
  publisher: NodeId
}

/** What is said of items, and what follows from it. */
export interface AboutStore {
  /** Replaces what is said of an item, held or not. @throws UnknownItemError */
  set(infoHash: string, about: About): void
  /** Makes an item somebody else's. @throws UnknownItemError */
  give(infoHash: string, rights: Rights): void
  /** Infohashes of an item's previews, held or not, live or retracted. */
  previewsOf(infoHash: string): string[]
  /** Previews in infohash order, after `after`, at most `limit`. */
  previews(after: string, limit: number): (ItemHead & { previewOf: string })[]
  /** Live items whose `expiresAt` is `until` at the latest and that come after `after`, in order of time, at most `limit`. */
  expired(until: number, after: ExpiryPosition, limit: number): Expired[]
  /** The earliest `expiresAt` of a live item later than `after`. */
  nextExpiry(after: number): number | undefined
}

/** Items that were committed to be described, until they are. It survives a crash, and goes with its item. */
export interface DescriptionStore {
  /** Has an item wait that was not described before; once more changes nothing. */
  add(infoHash: string): void
  /** The one that has waited longest, of those tried least, without `except`. */
  next(except: ReadonlySet<string>): { infoHash: string; tries: number } | undefined
  /** Whether an item waits to be described, or is being. */
  has(infoHash: string): boolean
  /** Remembers, before it is begun, that an item is tried once more. */
  tried(infoHash: string): void
  done(infoHash: string): void
  /** It was described without a tool that is missing: it waits for that, apart from the others. */
  lack(infoHash: string): void
  /** Whether any waits for a tool. */
  lacking(): boolean
  /** The tools are there: those that waited for them wait as the others do. */
  resume(): void
}
