import type { QuotaRecord, QuotaStore, Usage } from './access-port.ts'
import type { Database } from './database.ts'

interface QuotaRow {
  bytes: number | null
  items: number | null
  bytes_per_day: number | null
}

/** What owners may have here, and what they have. */
export class QuotaTable implements QuotaStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  get(owner: string): QuotaRecord {
    const row = this.#db.row<QuotaRow>('SELECT bytes, items, bytes_per_day FROM quotas WHERE owner = ?', owner)
    return {
      ...(typeof row?.bytes === 'number' && { bytes: row.bytes }),
      ...(typeof row?.items === 'number' && { items: row.items }),
      ...(typeof row?.bytes_per_day === 'number' && { bytesPerDay: row.bytes_per_day }),
    }
  }

  set(owner: string, { bytes, items, bytesPerDay }: QuotaRecord): void {
    if (bytes === undefined && items === undefined && bytesPerDay === undefined) {
      this.#db.run('DELETE FROM quotas WHERE owner = ?', owner)
      return
    }
    this.#db.run(
      'INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?)',
      owner,
      bytes ?? null,
      items ?? null,
      bytesPerDay ?? null,
    )
  }

  usage(owner: string): Usage {
    const row = this.#db.row<Usage>('SELECT bytes, items FROM usage WHERE owner = ?', owner)
    return { bytes: row?.bytes ?? 0, items: row?.items ?? 0 }
  }

  owners(after: string, limit: number): string[] {
    const text = `SELECT owner FROM usage WHERE owner > ? UNION SELECT owner FROM quotas WHERE owner > ?
      ORDER BY owner LIMIT ?`
    return this.#db.rows<{ owner: string }>(text, after, after, limit).map(({ owner }) => owner)
  }

  bytesOn(owner: string, day: number): number {
    const text = 'SELECT bytes FROM usage_days WHERE owner = ? AND day = ?'
    return this.#db.row<{ bytes: number }>(text, owner, day)?.bytes ?? 0
  }
}
