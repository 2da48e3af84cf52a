import type { About } from '@eldernode/core'
import type { AboutStore, Expired, ExpiryPosition } from './about-port.ts'
import type { Database } from './database.ts'
import { UnknownItemError } from './errors.ts'
import type { ItemHead, Rights } from './item-port.ts'

/** The columns and tables that speak of an item beyond its bytes. */
export class AboutTable implements AboutStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  set(infoHash: string, about: About): void {
    this.#db.transact(() => {
      const text = 'UPDATE items SET about = ?, expires_at = ? WHERE info_hash = ?'
      if (this.#db.run(text, JSON.stringify(about), about.expiresAt ?? null, infoHash) === 0)
        throw new UnknownItemError(infoHash)
      this.#db.run('DELETE FROM tags WHERE info_hash = ?', infoHash)
      for (const tag of new Set(about.tags)) this.#db.run('INSERT INTO tags VALUES (?, ?)', tag, infoHash)
    })
  }

  give(infoHash: string, { owner, access }: Rights): void {
    const text = 'UPDATE items SET owner = ?, access = ? WHERE info_hash = ?'
    if (this.#db.run(text, owner, access, infoHash) === 0) throw new UnknownItemError(infoHash)
  }

  previewsOf(infoHash: string): string[] {
    return this.#db
      .rows<{ infoHash: string }>('SELECT info_hash AS infoHash FROM items WHERE preview_of = ?', infoHash)
      .map((row) => row.infoHash)
  }

  previews(after: string, limit: number): (ItemHead & { previewOf: string })[] {
    return this.#db.rows(
      `SELECT info_hash AS infoHash, publisher, state, preview_of AS previewOf FROM items INDEXED BY items_previews
       WHERE preview_of IS NOT NULL AND info_hash > ? ORDER BY info_hash LIMIT ?`,
      after,
      limit,
    )
  }

  expired(until: number, after: ExpiryPosition, limit: number): Expired[] {
    return this.#db.rows(
      `SELECT info_hash AS infoHash, publisher, expires_at AS expiresAt FROM items
       WHERE state = 'live' AND expires_at IS NOT NULL AND expires_at <= ? AND (expires_at, info_hash) > (?, ?)
       ORDER BY expires_at, info_hash LIMIT ?`,
      until,
      after.expiresAt,
      after.infoHash,
      limit,
    )
  }

  nextExpiry(after: number): number | undefined {
    const text = `SELECT min(expires_at) AS at FROM items
      WHERE state = 'live' AND expires_at IS NOT NULL AND expires_at > ?`
    return this.#db.row<{ at: number | null }>(text, after)?.at ?? undefined
  }
}
