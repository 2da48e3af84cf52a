import type { ItemFile } from '@eldernode/core'
import { AboutTable } from './about-table.ts'
import { AnswerTable } from './answer-table.ts'
import { BlobTable } from './blob-table.ts'
import { Conditions } from './conditions.ts'
import { ControlTable } from './control-table.ts'
import { Database } from './database.ts'
import { EventTable } from './event-table.ts'
import { DescriptionTable } from './description-table.ts'
import { ImportTable } from './import-table.ts'
import { JobTable } from './job-table.ts'
import { ItemLists } from './item-lists.ts'
import type { ItemRow } from './item-row.ts'
import { KeyTable } from './key-table.ts'
import { Life } from './life.ts'
import { Listing } from './listing.ts'
import { PieceTable } from './piece-table.ts'
import { QuotaTable } from './quota-table.ts'
import { SmallBlobTable } from './small-blob-table.ts'
import { TokenTable } from './token-table.ts'
import { UploadTable } from './upload-table.ts'
import { WebhookTable } from './webhook-table.ts'
import type { HeldFile, Item, ItemHead, Rights } from './item-port.ts'

const withContent = `SELECT * FROM items WHERE sha256 = ? AND state = 'live' AND held = 1`
const oldest = 'ORDER BY created_at, info_hash LIMIT 1'

/** Of an item whose bytes are read: its other columns may be long. */
const served = 'info_hash, name, created_at, state, owner, access'
type ServedColumn = 'info_hash' | 'name' | 'created_at' | 'state' | 'owner' | 'access'

/** The catalog's tables, one method for each question. */
export class Catalog {
  readonly blobs: BlobTable
  readonly lists: ItemLists
  readonly listing: Listing
  readonly conditions: Conditions
  readonly pieces: PieceTable
  readonly life: Life
  readonly controls: ControlTable
  readonly events: EventTable
  readonly webhooks: WebhookTable
  readonly about: AboutTable
  readonly descriptions: DescriptionTable
  readonly keys: KeyTable
  readonly imports: ImportTable
  readonly uploads: UploadTable
  readonly smallBlobs: SmallBlobTable
  readonly answers: AnswerTable
  readonly tokens: TokenTable
  readonly quotas: QuotaTable
  readonly jobs: JobTable
  readonly #db: Database

  /** @throws CatalogTooNewError */
  constructor(path: string) {
    this.#db = new Database(path)
    this.blobs = new BlobTable(this.#db)
    this.lists = new ItemLists(this.#db)
    this.listing = new Listing(this.#db)
    this.conditions = new Conditions(this.#db, this.blobs)
    this.pieces = new PieceTable(this.#db)
    this.life = new Life(this.#db, this.blobs)
    this.controls = new ControlTable(this.#db)
    this.tokens = new TokenTable(this.#db)
    this.quotas = new QuotaTable(this.#db)
    this.imports = new ImportTable(this.#db)
    this.uploads = new UploadTable(this.#db)
    this.smallBlobs = new SmallBlobTable(this.#db)
    this.answers = new AnswerTable(this.#db)
    this.events = new EventTable(this.#db)
    this.webhooks = new WebhookTable(this.#db)
    this.about = new AboutTable(this.#db)
    this.descriptions = new DescriptionTable(this.#db)
    this.keys = new KeyTable(this.#db)
    this.jobs = new JobTable(this.#db)
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
      'INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
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
      item.owner,
      item.access,
      item.about.expiresAt ?? null,
      JSON.stringify(item.about),
    )
    if (added === 0) return false
    for (const tag of new Set(item.about.tags)) this.#db.run('INSERT INTO tags VALUES (?, ?)', tag, item.infoHash)
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
    this.listing.add(item.infoHash, item.createdAt)
    return true
  }

  item(infoHash: string, held = true): Item | undefined {
    const row = this.#db.row<ItemRow>('SELECT * FROM items WHERE info_hash = ?', infoHash)
    return row !== undefined && (row.held === 1 || !held) ? this.lists.whole(row) : undefined
  }

  oldestWith(sha256: string): Item | undefined {
    const row = this.#oldestRow(sha256)
    return row && this.lists.whole(row)
  }

  /** The oldest item with that content that everybody may find, or that is the owner's. */
  ownOrPublic(sha256: string, owner: string): ItemHead | undefined {
    const columns = 'SELECT info_hash AS infoHash, publisher, state FROM items'
    const text = `${columns} WHERE sha256 = ? AND state = 'live' AND held = 1 AND (access = 'public' OR owner = ?) ${oldest}`
    return this.#db.row<ItemHead>(text, sha256, owner)
  }

  /** One file of an item by infohash or SHA-256: the one at `path`, or the first. */
  file(id: string, path?: string): HeldFile | undefined {
    const row =
      id.length === 40
        ? this.#db.row<Pick<ItemRow, ServedColumn>>(`SELECT ${served} FROM items WHERE info_hash = ? AND held = 1`, id)
        : this.#oldestRow(id)
    if (row === undefined) return undefined
    const { info_hash: infoHash, name, created_at: createdAt, state, owner, access } = row
    const alone = this.#db.row('SELECT 1 FROM files WHERE info_hash = ? AND n = 1', infoHash) === undefined
    const columns = 'SELECT path, size, sha256, type FROM files WHERE info_hash = ?'
    const file =
      path === undefined
        ? this.#db.row<ItemFile>(`${columns} AND n = 0`, infoHash)
        : this.#db.row<ItemFile>(`${columns} AND path = ?`, infoHash, path)
    return { infoHash, name, createdAt, state, owner, access, alone, file: file && { ...file } }
  }

  /** By infohash, or the one to be taken for a SHA-256. */
  head(id: string): (ItemHead & Rights) | undefined {
    const columns = 'SELECT info_hash AS infoHash, publisher, state, owner, access FROM items'
    if (id.length === 40) return this.#db.row(`${columns} WHERE info_hash = ?`, id)
    return this.#publicFirst((access) => {
      const best = `ORDER BY state = 'live' DESC, held DESC, created_at, info_hash LIMIT 1`
      return this.#db.row(`${columns} WHERE sha256 = ? AND access ${access} 'private' ${best}`, id)
    })
  }

  purgeable(now: number): Item[] {
    return this.#db
      .rows<ItemRow>(`SELECT * FROM items WHERE state = 'retracted' AND purge_after <= ? ORDER BY purge_after`, now)
      .map((row) => this.lists.whole(row))
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

  setPublisher(infoHash: string, publisher: string): void {
    this.#db.run('UPDATE items SET publisher = ? WHERE info_hash = ?', publisher, infoHash)
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

  /** Sizes and blobs of an item's files, in order. */
  extents(infoHash: string): { size: number; sha256: string }[] {
    return this.#db.rows('SELECT size, sha256 FROM files WHERE info_hash = ? ORDER BY n', infoHash)
  }

  /** How many bytes an item has, and a piece of it. */
  shape(infoHash: string): { size: number; pieceLength: number } | undefined {
    return this.#db.row('SELECT size, piece_length AS pieceLength FROM items WHERE info_hash = ?', infoHash)
  }

  totals(): { items: number; bytes: number } {
    return this.#db.row<{ items: number; bytes: number }>('SELECT items, bytes FROM totals') ?? { items: 0, bytes: 0 }
  }

  close(): void {
    this.#db.close()
  }

  #oldestRow(sha256: string): ItemRow | undefined {
    return this.#publicFirst((access) =>
      this.#db.row(`${withContent} AND access ${access} 'private' ${oldest}`, sha256),
    )
  }

  /** Whoever publishes the bytes of a private item again, for all to see, must not find them hidden behind it. */
  #publicFirst<T>(find: (access: '<>' | '=') => T | undefined): T | undefined {
    return find('<>') ?? find('=')
  }
}
