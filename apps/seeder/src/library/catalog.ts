import type { ItemFile } from '@eldernode/core'
import { BlobTable } from './blob-table.ts'
import type { BlobState } from './blob-table.ts'
import { ControlTable } from './control-table.ts'
import type { Position } from './cursor.ts'
import { Database } from './database.ts'
import { itemOf } from './item-row.ts'
import type { ItemRow } from './item-row.ts'
import { Life } from './life.ts'
import { PieceTable } from './piece-table.ts'
import type { Condition, HeldFile, Item, ItemHead, ListedItem } from './port.ts'

interface FileRow extends ItemFile {
  info_hash: string
}

/** Small, since an item may have thousands of files. */
const pageSize = 64
const hashesAtOnce = 10_000
const headsAtOnce = 500
const oldestWithContent = `SELECT * FROM items WHERE sha256 = ? AND state = 'live' AND held = 1 ORDER BY created_at, info_hash LIMIT 1`

const withBlob = (state: BlobState) => `EXISTS (
  SELECT 1 FROM files JOIN blobs USING (sha256) WHERE files.info_hash = items.info_hash AND blobs.state = '${state}')`

/** The catalog's tables, one method for each question. */
export class Catalog {
  readonly blobs: BlobTable
  readonly pieces: PieceTable
  readonly life: Life
  readonly controls: ControlTable
  readonly #db: Database

  /** @throws CatalogTooNewError */
  constructor(path: string) {
    this.#db = new Database(path)
    this.blobs = new BlobTable(this.#db)
    this.pieces = new PieceTable(this.#db)
    this.life = new Life(this.#db, this.blobs)
    this.controls = new ControlTable(this.#db)
  }

  /** Makes the changes of `work`, which must not await, in one transaction. */
  transact<T>(work: () => T): T {
    return this.#db.transact(work)
  }

  /** The same together with others, which may go first. Resolves once it is durable. */
  transactTogether<T>(work: () => T): Promise<T> {
    return this.#db.together(work)
  }

  /** @returns false when the infohash is there already */
  addItem(item: Item, metainfo: Uint8Array): boolean {
    const added = this.#db.run(
      'INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING',
      item.infoHash,
      item.name,
      item.size,
      item.pieceLength,
      item.sha256,
      item.publisher,
      item.replicas.min,
      item.replicas.target,
      item.createdAt,
      item.state,
      item.purgeAfter ?? null,
    )
    if (added === 0) return false
    for (const [n, file] of item.files.entries())
      this.#db.run(
        'INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)',
        item.infoHash,
        n,
        file.path,
        file.size,
        file.sha256,
        file.type,
      )
    this.#db.run('INSERT INTO metainfo VALUES (?, ?)', item.infoHash, metainfo)
    return true
  }

  item(infoHash: string, held = true): Item | undefined {
    const row = this.#db.row<ItemRow>('SELECT * FROM items WHERE info_hash = ?', infoHash)
    return row !== undefined && (row.held === 1 || !held) ? this.#whole(row) : undefined
  }

  oldestWith(sha256: string): Item | undefined {
    const row = this.#db.row<ItemRow>(oldestWithContent, sha256)
    return row && this.#whole(row)
  }

  /** One file of an item by infohash or SHA-256: the one at `path`, or the first. */
  file(id: string, path?: string): HeldFile | undefined {
    const row =
      id.length === 40
        ? this.#db.row<ItemRow>('SELECT * FROM items WHERE info_hash = ? AND held = 1', id)
        : this.#db.row<ItemRow>(oldestWithContent, id)
    if (row === undefined) return undefined
    const { info_hash: infoHash, name, created_at: createdAt, state } = row
    const alone = this.#db.row('SELECT 1 FROM files WHERE info_hash = ? AND n = 1', infoHash) === undefined
    const columns = 'SELECT path, size, sha256, type FROM files WHERE info_hash = ?'
    const file =
      path === undefined
        ? this.#db.row<ItemFile>(`${columns} AND n = 0`, infoHash)
        : this.#db.row<ItemFile>(`${columns} AND path = ?`, infoHash, path)
    return { infoHash, name, createdAt, state, alone, file: file && { ...file } }
  }

  /** Items with their first `files` files. */
  newest(limit: number, files: number, after?: Position): ListedItem[] {
    const from = after ?? { createdAt: Number.MAX_SAFE_INTEGER, infoHash: 'g' }
    return this.#db
      .rows<ItemRow>(
        `SELECT * FROM items WHERE state = 'live' AND held = 1 AND (created_at, info_hash) < (?, ?)
       ORDER BY created_at DESC, info_hash DESC LIMIT ?`,
        from.createdAt,
        from.infoHash,
        limit,
      )
      .map((row) => ({ ...this.#whole(row, files), fileCount: this.#fileCount(row.info_hash) }))
  }

  /** Live items that are held, oldest first, then patchy ones; by an index alone. */
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
      if (hashes === null) break
      for (let at = 0; at < hashes.length; at += 40) yield hashes.slice(at, at + 40)
      const infoHash = hashes.slice(-40)
      const text = 'SELECT created_at AS createdAt FROM items WHERE info_hash = ?'
      const end = this.#db.row<{ createdAt: number }>(text, infoHash)
      if (end === undefined) break
      last = { ...end, infoHash }
    }
    const patchy = `SELECT DISTINCT files.info_hash FROM bad_pieces JOIN files USING (sha256)
      JOIN items ON items.info_hash = files.info_hash WHERE items.state = 'live'`
    for (const row of this.#db.rows<{ info_hash: string }>(patchy))
      if (this.condition(row.info_hash) === 'patchy') yield row.info_hash
  }

  head(infoHash: string): ItemHead | undefined {
    return this.#db.row<ItemHead>(
      'SELECT info_hash AS infoHash, publisher, state FROM items WHERE info_hash = ?',
      infoHash,
    )
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

  purgeable(now: number): Item[] {
    return this.#db
      .rows<ItemRow>(`SELECT * FROM items WHERE state = 'retracted' AND purge_after <= ? ORDER BY purge_after`, now)
      .map((row) => this.#whole(row))
  }

  nextPurge(): number | undefined {
    const text = `SELECT min(purge_after) AS at FROM items WHERE state = 'retracted'`
    return this.#db.row<{ at: number | null }>(text)?.at ?? undefined
  }

  metainfo(infoHash: string): Uint8Array | undefined {
    return this.#db.row<{ bytes: Uint8Array }>('SELECT bytes FROM metainfo WHERE info_hash = ?', infoHash)?.bytes
  }

  /** @returns false when there is no such item */
  setState(infoHash: string, state: Item['state'], purgeAfter?: number): boolean {
    const text = 'UPDATE items SET state = ?, purge_after = ? WHERE info_hash = ?'
    return this.#db.run(text, state, purgeAfter ?? null, infoHash) > 0
  }

  /** Forgets an item and the blobs that no other one needs. @returns the names of those blobs */
  removeItem(infoHash: string): string[] {
    this.blobs.doubtPatchy(infoHash)
    this.controls.delete(infoHash)
    const hashes = this.#db.rows<{ sha256: string }>('SELECT DISTINCT sha256 FROM files WHERE info_hash = ?', infoHash)
    this.#db.run('DELETE FROM items WHERE info_hash = ?', infoHash)
    const unneeded = `DELETE FROM blobs WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM files WHERE files.sha256 = blobs.sha256)`
    return hashes.filter(({ sha256 }) => this.#db.run(unneeded, sha256) > 0).map(({ sha256 }) => sha256)
  }

  refuse(infoHash: string, until: number, now: number): void {
    this.#db.run('DELETE FROM refusals WHERE until <= ?', now)
    this.#db.run('INSERT INTO refusals VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until', infoHash, until)
  }

  forgive(infoHash: string): void {
    this.#db.run('DELETE FROM refusals WHERE info_hash = ?', infoHash)
  }

  refused(now: number): { infoHash: string; until: number }[] {
    return this.#db.rows('SELECT info_hash AS infoHash, until FROM refusals WHERE until > ? ORDER BY info_hash', now)
  }

  condition(infoHash: string): Condition | undefined {
    const row = this.#db.row<{ held: number }>('SELECT held FROM items WHERE info_hash = ?', infoHash)
    if (row === undefined) return undefined
    if (row.held === 1) return 'held'
    const states = new Set(this.blobs.of(infoHash).map(({ state }) => state))
    if (states.has('damaged')) return 'damaged'
    return states.has('suspect') ? 'suspect' : 'patchy'
  }

  /** Sizes and blobs of an item's files, in order. */
  extents(infoHash: string): { size: number; sha256: string }[] {
    return this.#db.rows('SELECT size, sha256 FROM files WHERE info_hash = ? ORDER BY n', infoHash)
  }

  /** How many bytes an item has, and a piece of it. */
  shape(infoHash: string): { size: number; pieceLength: number } | undefined {
    return this.#db.row('SELECT size, piece_length AS pieceLength FROM items WHERE info_hash = ?', infoHash)
  }

  /** Items that wait for a hash of blobs that may have changed, and have lost nothing for sure. */
  suspects(): string[] {
    return this.#lost(`NOT ${withBlob('damaged')} AND ${withBlob('suspect')}`)
  }

  damaged(): string[] {
    return this.#lost(withBlob('damaged'))
  }

  totals(): { items: number; bytes: number } {
    return this.#db.row<{ items: number; bytes: number }>('SELECT items, bytes FROM totals') ?? { items: 0, bytes: 0 }
  }

  close(): void {
    this.#db.close()
  }

  #lost(where: string): string[] {
    return this.#db
      .rows<{ info_hash: string }>(`SELECT info_hash FROM items WHERE held = 0 AND ${where} ORDER BY info_hash`)
      .map((row) => row.info_hash)
  }

  #whole(row: ItemRow, most = Number.MAX_SAFE_INTEGER): Item {
    const files = 'SELECT path, size, sha256, type FROM files WHERE info_hash = ? AND n < ? ORDER BY n'
    return itemOf(row, this.#db.rows<ItemFile>(files, row.info_hash, most))
  }

  /** Files are numbered from 0. */
  #fileCount(infoHash: string): number {
    const text = 'SELECT max(n) + 1 AS count FROM files WHERE info_hash = ?'
    return this.#db.row<{ count: number | null }>(text, infoHash)?.count ?? 0
  }
}
