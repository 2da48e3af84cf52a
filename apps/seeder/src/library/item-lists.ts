import type { ItemFile } from '@eldernode/core'
import type { Database } from './database.ts'
import { itemOf } from './item-row.ts'
import type { ItemRow } from './item-row.ts'
import type { Item, ItemHead } from './item-port.ts'

interface FileRow extends ItemFile {
  info_hash: string
}

/** A place in the order of publication. */
interface Position {
  createdAt: number
  infoHash: string
}

/** Small, since an item may have thousands of files. */
const pageSize = 64
const hashesAtOnce = 10_000
const headsAtOnce = 500

/** Many items at a time, in pages, so that no read takes long. */
export class ItemLists {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Live items that are held, oldest first, by an index alone. */
  *servable(): Generator<string> {
    for (let last: Position = { createdAt: -1, infoHash: '' }; ;) {
      // One string for thousands of hashes: rows of their own would take four times as long.
      const { hashes } = this.#db.row<{ hashes: string | null }>(
        `SELECT group_concat(info_hash, '') AS hashes FROM (
           SELECT info_hash FROM items WHERE state = 'live' AND held = 1 AND (created_at, info_hash) > (?, ?)
           ORDER BY created_at, info_hash LIMIT ?)`,
        last.createdAt,
        last.infoHash,
        hashesAtOnce,
      ) ?? { hashes: null }
      if (hashes === null) return
      // Asked before anybody has a turn to remove that item.
      const text = 'SELECT created_at AS createdAt, info_hash AS infoHash FROM items WHERE info_hash = ?'
      const end = this.#db.row<Position>(text, hashes.slice(-40))
      for (let at = 0; at < hashes.length; at += 40) yield hashes.slice(at, at + 40)
      if (end === undefined) return
      last = end
    }
  }

  *heads(): Generator<ItemHead> {
    for (let last = ''; ;) {
      // One text for hundreds of items: rows would live on through the caller's pauses, and 100,000 of them fill the heap.
      const { text } = this.#db.row<{ text: string | null }>(
        `SELECT group_concat(info_hash || substr(state, 1, 1) || publisher, char(10)) AS text FROM (
           SELECT info_hash, publisher, state FROM items WHERE held = 1 AND info_hash > ? ORDER BY info_hash LIMIT ?)`,
        last,
        headsAtOnce,
      ) ?? { text: null }
      if (text === null) return
      for (let [at, end] = [0, 0]; at < text.length; at = end + 1) {
        end = text.indexOf('\n', at)
        if (end < 0) end = text.length
        last = text.slice(at, at + 40)
        yield {
          infoHash: last,
          state: text[at + 40] === 'l' ? 'live' : 'retracted',
          publisher: text.slice(at + 41, end),
        }
      }
    }
  }

  *all(): Generator<Item> {
    for (let last = ''; ;) {
      const rows = this.#db.rows<ItemRow>(
        'SELECT * FROM items WHERE info_hash > ? ORDER BY info_hash LIMIT ?',
        last,
        pageSize,
      )
      const end = rows.at(-1)
      if (end === undefined) return
      const files = this.#db.rows<FileRow>(
        `SELECT info_hash, path, size, sha256, type FROM files WHERE info_hash > ? AND info_hash <= ?
         ORDER BY info_hash, n`,
        last,
        end.info_hash,
      )
      let from = 0
      for (const row of rows) {
        let to = from
        while (files[to]?.info_hash === row.info_hash) to++
        if (row.held === 1) yield itemOf(row, files.slice(from, to))
        from = to
      }
      last = end.info_hash
    }
  }

  /** The item of a row, with its first `most` files. */
  whole(row: ItemRow, most = Number.MAX_SAFE_INTEGER): Item {
    const files = 'SELECT path, size, sha256, type FROM files WHERE info_hash = ? AND n < ? ORDER BY n'
    return itemOf(row, this.#db.rows<ItemFile>(files, row.info_hash, most))
  }
}
