import type { Database } from './database.ts'
import type { Controls } from './item-port.ts'

interface ControlRow {
  info_hash: string
  paused: number
  upload_limit: number | null
  download_limit: number | null
}

/** Settings of items that are not here, and may never come, are dropped beyond this: those set first. */
const mostUnheld = 10_000

/**
 * What the operator set for single items. There need not be an item: it may be on its way here. Asked for at every turn
 * and few, so all of it is in memory: no connection waits for the catalog, or fails with it.
 */
export class ControlTable {
  readonly #db: Database
  readonly #mostUnheld: number
  readonly #all = new Map<string, Controls>()
  #paused = 0

  constructor(db: Database, most = mostUnheld) {
    this.#db = db
    this.#mostUnheld = most
    for (const row of db.rows<ControlRow>('SELECT * FROM controls')) this.#keep(row.info_hash, controlsOf(row))
  }

  get pausedCount(): number {
    return this.#paused
  }

  isPaused(infoHash: string): boolean {
    return this.#all.get(infoHash)?.paused === true
  }

  get(infoHash: string): Controls {
    return { paused: false, ...this.#all.get(infoHash) }
  }

  set(infoHash: string, { paused, uploadLimit, downloadLimit }: Controls): void {
    if (!paused && uploadLimit === undefined && downloadLimit === undefined) return this.delete(infoHash)
    const row = {
      info_hash: infoHash,
      paused: paused ? 1 : 0,
      upload_limit: uploadLimit ?? null,
      download_limit: downloadLimit ?? null,
    }
    this.#db.run(
      `INSERT INTO controls VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET paused = excluded.paused, upload_limit = excluded.upload_limit, download_limit = excluded.download_limit`,
      ...Object.values(row),
    )
    this.#forget(infoHash)
    this.#keep(infoHash, controlsOf(row))
    this.#dropUnheld()
  }

  delete(infoHash: string): void {
    this.#db.run('DELETE FROM controls WHERE info_hash = ?', infoHash)
    this.#forget(infoHash)
  }

  #keep(infoHash: string, controls: Controls): void {
    this.#all.set(infoHash, controls)
    if (controls.paused) this.#paused++
  }

  #forget(infoHash: string): void {
    if (this.isPaused(infoHash)) this.#paused--
    this.#all.delete(infoHash)
  }

  #dropUnheld(): void {
    if (this.#all.size <= this.#mostUnheld) return
    const text = 'SELECT info_hash FROM controls WHERE info_hash NOT IN (SELECT info_hash FROM items)'
    const unheld = new Set(this.#db.rows<{ info_hash: string }>(text).map((row) => row.info_hash))
    let over = unheld.size - this.#mostUnheld
    for (const infoHash of this.#all.keys()) {
      if (over <= 0) return
      if (!unheld.has(infoHash)) continue
      this.delete(infoHash)
      over--
    }
  }
}

function controlsOf({ paused, upload_limit: uploadLimit, download_limit: downloadLimit }: ControlRow): Controls {
  return {
    paused: paused === 1,
    ...(typeof uploadLimit === 'number' && { uploadLimit }),
    ...(typeof downloadLimit === 'number' && { downloadLimit }),
  }
}
