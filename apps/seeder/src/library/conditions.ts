import type { BlobState, BlobTable } from './blob-table.ts'
import type { Database } from './database.ts'
import type { Condition } from './item-port.ts'

const withBlob = (state: BlobState) => `EXISTS (
  SELECT 1 FROM files JOIN blobs USING (sha256) WHERE files.info_hash = items.info_hash AND blobs.state = '${state}')`

/** What becomes of items because of their blobs. */
export class Conditions {
  readonly #db: Database
  readonly #blobs: BlobTable

  constructor(db: Database, blobs: BlobTable) {
    this.#db = db
    this.#blobs = blobs
  }

  of(infoHash: string): Condition | undefined {
    const row = this.#db.row<{ held: number }>('SELECT held FROM items WHERE info_hash = ?', infoHash)
    if (row === undefined) return undefined
    if (row.held === 1) return 'held'
    const states = new Set(this.#blobs.of(infoHash).map(({ state }) => state))
    if (states.has('damaged')) return 'damaged'
    return states.has('suspect') ? 'suspect' : 'patchy'
  }

  /** Items that wait for a hash of blobs that may have changed, and have lost nothing for sure. */
  suspects(): string[] {
    return this.#lost(`NOT ${withBlob('damaged')} AND ${withBlob('suspect')}`)
  }

  damaged(): string[] {
    return this.#lost(withBlob('damaged'))
  }

  /** Live items that are patchy. */
  patchy(): string[] {
    return this.#db
      .rows<{ info_hash: string }>(
        `SELECT DISTINCT files.info_hash FROM bad_pieces JOIN files USING (sha256)
         JOIN items ON items.info_hash = files.info_hash WHERE items.state = 'live'`,
      )
      .map((row) => row.info_hash)
      .filter((infoHash) => this.of(infoHash) === 'patchy')
  }

  #lost(where: string): string[] {
    return this.#db
      .rows<{ info_hash: string }>(`SELECT info_hash FROM items WHERE held = 0 AND ${where} ORDER BY info_hash`)
      .map((row) => row.info_hash)
  }
}
