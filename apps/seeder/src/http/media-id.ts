import { z } from 'zod'
import type { Condition, Item, Library } from '../library/index.ts'
import { MediaNotFoundError, MediaRetractedError, MediaUnsoundError } from './errors.ts'

/** An infohash (40 hex digits) or a SHA-256 (64), in either case. */
export const mediaIdSchema = z
  .string()
  .toLowerCase()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be an infohash (40 hex digits) or a SHA-256 (64)')

/** The item of that id, retracted or not. */
function heldItem(library: Library, id: string): Item | undefined {
  return id.length === 40 ? library.get(id) : library.bySha256(id)
}

/** An item that may not be held. @throws MediaNotFoundError, MediaRetractedError */
export function recordOf(library: Library, id: string): { item: Item; condition: Condition } {
  const infoHash = library.head(id)?.infoHash ?? id
  const item = library.record(infoHash)
  const condition = library.condition(infoHash)
  if (item === undefined || condition === undefined) throw new MediaNotFoundError(id)
  if (item.state === 'retracted') throw new MediaRetractedError(id)
  return { item, condition }
}

/** Why the library does not hold the item of that id. */
export function absence(library: Pick<Library, 'head' | 'condition'>, id: string): Error {
  const head = library.head(id)
  const condition = head && library.condition(head.infoHash)
  if (head === undefined || condition === undefined) return new MediaNotFoundError(id)
  if (head.state === 'retracted') return new MediaRetractedError(id)
  // One that is held was found right, or lost its file, since it was asked for.
  return new MediaUnsoundError(id, condition === 'held' ? 'suspect' : condition)
}

/** @throws MediaNotFoundError, MediaRetractedError, MediaUnsoundError */
export function itemOf(library: Library, id: string): Item {
  const item = heldItem(library, id)
  if (item === undefined) throw absence(library, id)
  if (item.state === 'retracted') throw new MediaRetractedError(id)
  return item
}
