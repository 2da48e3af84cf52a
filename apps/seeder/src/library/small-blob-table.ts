import type { Database } from './database.ts'

/** Bytes of small blobs whose files may not have reached the disk yet. */
export class SmallBlobTable {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Of all of them together. */
  get bytes(): number {
    return this.#db.row<{ bytes: number }>('SELECT bytes FROM small_blob_totals')?.bytes ?? 0
  }

  add(sha256: string, bytes: Uint8Array, now: number): void {
    this.#db.run('INSERT INTO small_blobs VALUES (?, ?, ?) ON CONFLICT DO NOTHING', sha256, bytes, now)
  }

  /** In the order of their names. */
  *all(): Generator<{ sha256: string; bytes: Uint8Array }> {
    const text = 'SELECT sha256, bytes FROM small_blobs WHERE sha256 > ? ORDER BY sha256 LIMIT 100'
    for (let last = ''; ;) {
      const page = this.#db.rows<{ sha256: string; bytes: Uint8Array }>(text, last)
      yield* page
      const end = page.at(-1)
      if (end === undefined) return
      last = end.sha256
    }
  }

  /** Those that came before, the oldest first. */
  before(time: number, limit: number): string[] {
    return this.#db
      .rows<{ sha256: string }>('SELECT sha256 FROM small_blobs WHERE at <= ? ORDER BY at LIMIT ?', time, limit)
      .map(({ sha256 }) => sha256)
  }

  remove(sha256: string): void {
    this.#db.run('DELETE FROM small_blobs WHERE sha256 = ?', sha256)
  }
}
