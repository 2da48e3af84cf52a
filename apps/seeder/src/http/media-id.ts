import { z } from 'zod'
import type { Item, Library } from '../library/index.ts'
import { MediaNotFoundError, MediaRetractedError } from './errors.ts'

/** An infohash (40 hex digits) or a SHA-256 (64), in either case. */
export const mediaIdSchema = z
  .string()
  .toLowerCase()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be an infohash (40 hex digits) or a SHA-256 (64)')

/** The item of that id, retracted or not. */
export function heldItem(library: Library, id: string): Item | undefined {
  return id.length === 40 ? library.get(id) : library.bySha256(id)
}

/** @throws MediaNotFoundError, MediaRetractedError */
export function itemOf(library: Library, id: string): Item {
  const item = heldItem(library, id)
  if (item === undefined) throw new MediaNotFoundError(id)
  if (item.state === 'retracted') throw new MediaRetractedError(id)
  return item
}
