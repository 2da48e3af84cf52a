import type { Item } from './item-port.ts'

/**
 * For whom a list is made: strangers and callers see public items, callers their own unlisted ones too, and their own
 * private ones if they may read them.
 */
export interface Audience {
  /** '' for strangers. */
  owner: string
  readsPrivate: boolean
}

/** An item in a list, of whose files only the first ones are there. */
export interface ListedItem extends Item {
  fileCount: number
}

export interface Page {
  items: ListedItem[]
  /** Opaque; give it back as `cursor` for the next page. Absent on the last one. */
  nextCursor?: string
}

/** Which items a list is to have; all of what is given must hold. */
export interface ListFilter {
  /** Without it everybody's items, private ones too. */
  audience?: Audience | undefined
  owner?: string | undefined
  /** A media type (`audio/flac`) or a kind of them (`audio`) that one of its files has. */
  type?: string | undefined
  tags?: readonly string[] | undefined
  /** Words of its name, title, artist, tags or paths; the last one may be the beginning of a word. */
  text?: string | undefined
  /** Published at this moment or later, and before that one; in milliseconds since 1970. */
  from?: number | undefined
  until?: number | undefined
}

export interface ListQuery extends ListFilter {
  cursor?: string | undefined
  limit: number
  /** Of each item (100 by default). */
  files?: number | undefined
}
