import type { Database } from './database.ts'
import type { Controls } from './port.ts'

interface ControlRow {
  paused: number
  upload_limit: number | null
  download_limit: number | null
}

/** What the operator set for single items. There need not be an item: it may be on its way here. */
export class ControlTable {
  readonly #db: Database
  /** Asked for at every turn, and few. */
  readonly #paused: Set<string>

  constructor(db: Database) {
    this.#db = db
    const rows = db.rows<{ info_hash: string }>('SELECT info_hash FROM controls WHERE paused = 1')
    this.#paused = new Set(rows.map((row) => row.info_hash))
  }

  get pausedCount(): number {
    return this.#paused.size
  }

  isPaused(infoHash: string): boolean {
    return this.#paused.has(infoHash)
  }

  get(infoHash: string): Controls {
    const text = 'SELECT paused, upload_limit, download_limit FROM controls WHERE info_hash = ?'
    const row = this.#db.row<ControlRow>(text, infoHash)
    return {
      paused: row?.paused === 1,
      ...(typeof row?.upload_limit === 'number' && { uploadLimit: row.upload_limit }),
      ...(typeof row?.download_limit === 'number' && { downloadLimit: row.download_limit }),
    }
  }

  set(infoHash: string, { paused, uploadLimit, downloadLimit }: Controls): void {
    if (!paused && uploadLimit === undefined && downloadLimit === undefined) return this.delete(infoHash)
    this.#db.run(
      `INSERT INTO controls VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET paused = excluded.paused, upload_limit = excluded.upload_limit, download_limit = excluded.download_limit`,
      infoHash,
      paused ? 1 : 0,
      uploadLimit ?? null,
      downloadLimit ?? null,
    )
    if (paused) this.#paused.add(infoHash)
    else this.#paused.delete(infoHash)
  }

  delete(infoHash: string): void {
    this.#db.run('DELETE FROM controls WHERE info_hash = ?', infoHash)
    this.#paused.delete(infoHash)
  }
}
