import { z } from 'zod'
import { may, mayChange, NotYourItemError, type Viewer } from '../../access/index.ts'
import type { Condition, Item, Library, Rights } from '../../library/index.ts'
import { MediaNotFoundError, MediaRetractedError, MediaUnsoundError } from '../errors.ts'

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
export function recordOf(library: Library, viewer: Viewer, id: string): { item: Item; condition: Condition } {
  const infoHash = library.head(id)?.infoHash ?? id
  const item = library.record(infoHash)
  const condition = library.condition(infoHash)
  if (item === undefined || condition === undefined) throw new MediaNotFoundError(id)
  assertSeen(viewer, item, id)
  if (item.state === 'retracted') throw new MediaRetractedError(id)
  return { item, condition }
}

/** Why the library does not hold the item of that id, as far as the viewer, a stranger by default, may know. */
export function absence(library: Pick<Library, 'head' | 'condition'>, id: string, viewer: Viewer = {}): Error {
  const head = library.head(id)
  const condition = head && library.condition(head.infoHash)
  if (head === undefined || condition === undefined || may(viewer, head) === 'hidden') return new MediaNotFoundError(id)
  if (head.state === 'retracted') return new MediaRetractedError(id)
  // One that is held was found right, or lost its file, since it was asked for.
  return new MediaUnsoundError(id, condition === 'held' ? 'suspect' : condition)
}

/** @throws MediaNotFoundError, MediaRetractedError, MediaUnsoundError */
export function itemOf(library: Library, viewer: Viewer, id: string): Item {
  const item = heldItem(library, id)
  if (item === undefined) throw absence(library, id, viewer)
  assertSeen(viewer, item, id)
  if (item.state === 'retracted') throw new MediaRetractedError(id)
  return item
}

/** To whom an item is hidden, it does not exist. @throws MediaNotFoundError */
export function assertSeen(viewer: Viewer, item: Rights & Pick<Item, 'infoHash'>, id: string): void {
  if (may(viewer, item) === 'hidden') throw new MediaNotFoundError(id)
}

/**
 * A caller that may not read a private item of its own may still change it.
 * @throws MediaNotFoundError, NotYourItemError
 */
export function assertOwn(viewer: Viewer, item: Rights & Pick<Item, 'infoHash'>, id: string): void {
  if (mayChange(viewer, item)) return
  assertSeen(viewer, item, id)
  throw new NotYourItemError(id)
}

/** An item that the viewer may change, and that may not be held. @throws as `recordOf`; NotYourItemError */
export function ownRecordOf(library: Library, viewer: Viewer, id: string): Item {
  const { item } = recordOf(library, viewer, id)
  assertOwn(viewer, item, id)
  return item
}
