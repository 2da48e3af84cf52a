import type { Print } from './blobs.ts'
import type { Database } from './database.ts'

export type BlobState = 'sound' | 'suspect' | 'damaged'

export interface BlobRecord extends Print {
  sha256: string
  state: BlobState
  /** When its bytes came here; milliseconds since 1970. */
  writtenAt: number
  /** When all of it was last hashed; milliseconds since 1970. */
  verifiedAt: number
  /** Whether pieces of it are known to be wrong. */
  patchy: boolean
}

interface BlobRow {
  sha256: string
  size: number
  mtime_us: number
  ctime_us: number | null
  inode: number | null
  state: BlobState
  written_at: number
  verified_at: number
  patchy: number
}

const columns = `sha256, size, mtime_us, ctime_us, inode, state, written_at, verified_at,
  EXISTS (SELECT 1 FROM bad_pieces WHERE bad_pieces.sha256 = blobs.sha256) AS patchy`

const unsound = `EXISTS (
  SELECT 1 FROM files JOIN blobs USING (sha256)
  WHERE files.info_hash = items.info_hash
    AND (blobs.state <> 'sound' OR EXISTS (SELECT 1 FROM bad_pieces WHERE bad_pieces.sha256 = blobs.sha256)))`

/** What is known of each blob, and which items are held because of it. */
export class BlobTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  get(sha256: string): BlobRecord | undefined {
    const row = this.#db.row<BlobRow>(`SELECT ${columns} FROM blobs WHERE sha256 = ?`, sha256)
    return row && recordOf(row)
  }

  has(sha256: string): boolean {
    return this.#db.row('SELECT 1 FROM blobs WHERE sha256 = ?', sha256) !== undefined
  }

  /** At most `limit` blobs, in the order of their names, none of them named `from` or `to`. */
  between(from: string, to: string, limit: number): BlobRecord[] {
    const text = `SELECT ${columns} FROM blobs WHERE sha256 > ? AND sha256 < ? ORDER BY sha256 LIMIT ?`
    return this.#db.rows<BlobRow>(text, from, to, limit).map(recordOf)
  }

  /** Of the files of one item, each once. */
  of(infoHash: string): BlobRecord[] {
    const text = `SELECT ${columns} FROM blobs WHERE sha256 IN (SELECT sha256 FROM files WHERE info_hash = ?)`
    return this.#db.rows<BlobRow>(text, infoHash).map(recordOf)
  }

  /** The items with a file of these bytes. */
  owners(sha256: string): string[] {
    return this.#db
      .rows<{ info_hash: string }>('SELECT DISTINCT info_hash FROM files WHERE sha256 = ?', sha256)
      .map((row) => row.info_hash)
  }

  /** @returns items that are held because of it, or are not any more */
  set(blob: Omit<BlobRecord, 'patchy'>): string[] {
    this.#db.run(
      `INSERT INTO blobs (sha256, size, mtime_us, ctime_us, inode, state, written_at, verified_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET mtime_us = excluded.mtime_us, ctime_us = excluded.ctime_us, inode = excluded.inode,
         state = excluded.state, written_at = excluded.written_at, verified_at = excluded.verified_at`,
      blob.sha256,
      blob.size,
      blob.mtimeUs,
      blob.ctimeUs ?? null,
      blob.inode ?? null,
      blob.state,
      blob.writtenAt,
      blob.verifiedAt,
    )
    return this.#settle(blob.sha256)
  }

  /** Remembers that a piece of an item lies in this blob and is wrong. @returns as `set` does */
  addBadPiece(sha256: string, infoHash: string, piece: number): string[] {
    this.#db.run('INSERT INTO bad_pieces VALUES (?, ?, ?) ON CONFLICT DO NOTHING', sha256, infoHash, piece)
    return this.#settle(sha256)
  }

  /** Forgets one bad piece of a blob, or without `piece` all of them. @returns as `set` does */
  dropBadPieces(sha256: string, infoHash?: string, piece?: number): string[] {
    if (infoHash === undefined || piece === undefined) this.#db.run('DELETE FROM bad_pieces WHERE sha256 = ?', sha256)
    else {
      const text = 'DELETE FROM bad_pieces WHERE sha256 = ? AND info_hash = ? AND piece = ?'
      this.#db.run(text, sha256, infoHash, piece)
    }
    return this.#settle(sha256)
  }

  /** In rising order. */
  badPieces(infoHash: string, sha256?: string): number[] {
    const text = `SELECT DISTINCT piece FROM bad_pieces
      WHERE info_hash = ? AND (? IS NULL OR sha256 = ?) ORDER BY piece`
    return this.#db.rows<{ piece: number }>(text, infoHash, sha256 ?? null, sha256 ?? null).map(({ piece }) => piece)
  }

  /** The blobs that a bad piece lies in. */
  under(infoHash: string, piece: number): string[] {
    return this.#db
      .rows<{ sha256: string }>('SELECT sha256 FROM bad_pieces WHERE info_hash = ? AND piece = ?', infoHash, piece)
      .map(({ sha256 }) => sha256)
  }

  /** Makes sound blobs suspect that were written at `since` or later. */
  doubt(since: number): void {
    this.#db.run(`UPDATE blobs SET state = 'suspect' WHERE written_at >= ? AND state = 'sound'`, since)
    this.#db.run(
      `UPDATE items SET held = 0
       WHERE held = 1 AND info_hash IN (SELECT info_hash FROM files JOIN blobs USING (sha256)
         WHERE written_at >= ? AND blobs.state = 'suspect')`,
      since,
    )
  }

  /** Whether a blob was written at `since` or later. */
  anySince(since: number): boolean {
    return this.#db.row('SELECT 1 FROM blobs WHERE written_at >= ? LIMIT 1', since) !== undefined
  }

  /** Has an item's bad pieces looked at by a hash of the files they lie in: nobody is left who could mend them. */
  doubtPatchy(infoHash: string): void {
    this.#db.run(
      `UPDATE blobs SET state = 'suspect'
       WHERE state = 'sound' AND sha256 IN (SELECT sha256 FROM bad_pieces WHERE info_hash = ?)`,
      infoHash,
    )
  }

  /** Sets which of the items with this blob are held. */
  #settle(sha256: string): string[] {
    return this.#db
      .rows<{ info_hash: string }>(
        `UPDATE items SET held = 1 - held
         WHERE info_hash IN (SELECT info_hash FROM files WHERE sha256 = ?) AND held = ${unsound}
         RETURNING info_hash`,
        sha256,
      )
      .map((row) => row.info_hash)
  }
}

function recordOf(row: BlobRow): BlobRecord {
  return {
    sha256: row.sha256,
    size: row.size,
    mtimeUs: row.mtime_us,
    ...(row.ctime_us !== null && { ctimeUs: row.ctime_us }),
    ...(row.inode !== null && { inode: row.inode }),
    state: row.state,
    writtenAt: row.written_at,
    verifiedAt: row.verified_at,
    patchy: row.patchy === 1,
  }
}
