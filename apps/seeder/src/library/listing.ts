import type { ItemFile } from '@eldernode/core'
import type { Place } from './cursor.ts'
import type { Database } from './database.ts'
import { itemOf, type ItemRow } from './item-row.ts'
import { lastMs, listItem, placesPerMs } from './layouts/search.ts'
import type { Audience, ListedItem, ListFilter } from './listing-port.ts'

/** The beginning of a word finds it from so many characters on: shorter ones begin too many. */
const shortestBeginning = 3
const everything: Place = 2n ** 63n - 1n

/** The list of items, newest first, by an index of what they are found by. */
export class Listing {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** To be called once for a new item, when its files are there. */
  add(infoHash: string, createdAt: number): void {
    const first = placeOf(createdAt)
    this.#db.run(
      `INSERT INTO places SELECT coalesce(max(place) + 1, ?1), ?3 FROM places WHERE place BETWEEN ?1 AND ?2`,
      first,
      first + BigInt(placesPerMs) - 1n,
      infoHash,
    )
    this.#db.run(listItem('?'), infoHash)
  }

  /** Items below a place, each with its first `files` files. */
  page(filter: ListFilter, limit: number, files: number, below = everything): { item: ListedItem; place: Place }[] {
    const match = matchOf(filter)
    if (match === undefined) return []
    const first = placeOf(filter.from ?? 0)
    const end = filter.until === undefined ? below : least(below, placeOf(filter.until))
    const rows = this.#db.rows<ItemRow & { place: string }>(
      `SELECT items.*, CAST(listing.rowid AS TEXT) AS place FROM listing
       JOIN places ON places.place = listing.rowid JOIN items USING (info_hash)
       WHERE listing MATCH ? AND listing.rowid < ? AND listing.rowid >= ? ORDER BY listing.rowid DESC LIMIT ?`,
      match,
      end,
      first,
      limit,
    )
    return rows.map((row) => ({ item: this.#listed(row, files), place: BigInt(row.place) }))
  }

  #listed(row: ItemRow, most: number): ListedItem {
    const text = 'SELECT path, size, sha256, type FROM files WHERE info_hash = ? AND n < ? ORDER BY n'
    const files = this.#db.rows<ItemFile>(text, row.info_hash, most)
    return { ...itemOf(row, files), fileCount: files.length < most ? files.length : this.#fileCount(row.info_hash) }
  }

  /** Files are numbered from 0. */
  #fileCount(infoHash: string): number {
    const text = 'SELECT max(n) + 1 AS count FROM files WHERE info_hash = ?'
    return this.#db.row<{ count: number | null }>(text, infoHash)?.count ?? 0
  }
}

/**
 * The query for the index. Threat: it has a language of its own, of which no text of a caller may become a part: keys are
 * digits and letters, words are quoted.
 * @returns undefined when nothing can be found
 */
function matchOf({ audience, owner, type, tags, text }: ListFilter): string | undefined {
  const keys = [
    audience === undefined ? 'all' : seenBy(audience),
    ...(owner === undefined ? [] : [key('o', owner)]),
    ...(type === undefined ? [] : [key('y', type.toLowerCase())]),
    ...(tags ?? []).map((tag) => key('t', tag)),
  ]
  const match = `keys : (${keys.join(' AND ')})`
  if (text === undefined) return match
  const words = text.normalize('NFC').match(/[\p{L}\p{M}\p{N}\p{Co}]+/gu)
  if (words === null) return undefined
  const last = words.at(-1) ?? ''
  const quoted = words.map((word) => `"${word}"`)
  const isBeginning = last.length >= shortestBeginning && text.endsWith(last)
  return `${match} AND words : (${quoted.join(' AND ')}${isBeginning ? '*' : ''})`
}

function seenBy({ owner, readsPrivate }: Audience): string {
  if (owner === '') return 'apublic'
  const own = readsPrivate ? '(aunlisted OR aprivate)' : 'aunlisted'
  return `(apublic OR (${key('o', owner)} AND ${own}))`
}

function key(prefix: string, text: string): string {
  return prefix + Buffer.from(text).toString('hex')
}

/** The first place of a moment. */
function placeOf(ms: number): Place {
  return BigInt(Math.max(0, Math.min(Math.ceil(ms), lastMs))) * BigInt(placesPerMs)
}

function least(a: Place, b: Place): Place {
  return a < b ? a : b
}
