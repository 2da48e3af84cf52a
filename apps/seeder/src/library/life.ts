import type { BlobTable } from './blob-table.ts'
import type { Database } from './database.ts'

/**
 * How long before the last sign of life a blob must have been written to be trusted after an unclean stop: systems write
 * their caches back within a minute or so, disks lie a little longer.
 */
const doubtMs = 600_000

interface LifeRow {
  id: string
  marked: number
  clean: number
  alive_at: number
}

/** The library's own row in the catalog: its name, whether its storage is marked with it, and how it last ended. */
export class Life {
  readonly id: string
  readonly #db: Database
  readonly #blobs: BlobTable

  constructor(db: Database, blobs: BlobTable) {
    this.#db = db
    this.#blobs = blobs
    this.id = this.#row().id
  }

  /** Whether a marker with `id` was written into the storage folder. */
  get marked(): boolean {
    return this.#row().marked === 1
  }

  mark(): void {
    this.#db.run('UPDATE library SET marked = 1')
  }

  /** After an unclean stop, makes suspect what was written shortly before it. */
  begin(now: number): void {
    this.#db.transact(() => {
      const { clean, alive_at: aliveAt } = this.#row()
      if (clean === 0) this.#blobs.doubt(aliveAt - doubtMs)
      this.#db.run('UPDATE library SET clean = 0, alive_at = ?', now)
    })
  }

  /** A sign of life; written only while there is something that a later one would take out of doubt. */
  alive(now: number): void {
    if (!this.#blobs.anySince(this.#row().alive_at - doubtMs)) return
    this.#db.run('UPDATE library SET alive_at = ?', now)
  }

  end(now: number): void {
    this.#db.run('UPDATE library SET clean = 1, alive_at = ?', now)
  }

  #row(): LifeRow {
    const row = this.#db.row<LifeRow>('SELECT id, marked, clean, alive_at FROM library')
    if (row === undefined) throw new Error('the catalog has lost its row in the table "library"')
    return row
  }
}
