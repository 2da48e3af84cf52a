import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import type { CompatStore, CompatValue } from '@eldernode/core/graph'

interface Statements {
  put: StatementSync
  size: StatementSync
  get: StatementSync
  page: StatementSync
  oldest: StatementSync
  drop: StatementSync
}

/** What one value takes beside its texts. */
const overhead = 64
const dropAtOnce = 200

/**
 * The values of public maps in one SQLite file of their own. Strangers wrote them: what a crash of the machine takes is
 * written again, and nothing is synced for it.
 */
export class SqliteCompatStore implements CompatStore {
  readonly #db: DatabaseSync
  readonly #statements: Statements
  readonly #bytes = new Map<string, number>()

  constructor(path: string) {
    const db = new DatabaseSync(path)
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA busy_timeout = 5000;
      PRAGMA cache_size = -4096;
      PRAGMA auto_vacuum = INCREMENTAL;
      CREATE TABLE IF NOT EXISTS compat (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        map TEXT NOT NULL,
        soul TEXT NOT NULL,
        key TEXT NOT NULL,
        state REAL NOT NULL,
        value TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        UNIQUE (soul, key)
      ) STRICT;
      CREATE INDEX IF NOT EXISTS by_age ON compat (map, id);
    `)
    this.#db = db
    this.#statements = {
      // A new id makes it the youngest.
      put: db.prepare('INSERT OR REPLACE INTO compat (map, soul, key, state, value, bytes) VALUES (?, ?, ?, ?, ?, ?)'),
      size: db.prepare('SELECT bytes FROM compat WHERE soul = ? AND key = ?'),
      get: db.prepare('SELECT soul, key, state, value FROM compat WHERE soul = ? AND key = ?'),
      page: db.prepare('SELECT soul, key, state, value FROM compat WHERE soul = ? AND key > ? ORDER BY key LIMIT ?'),
      oldest: db.prepare('SELECT id, bytes FROM compat WHERE map = ? ORDER BY id LIMIT ?'),
      drop: db.prepare('DELETE FROM compat WHERE map = ? AND id <= ?'),
    }
    for (const row of db.prepare('SELECT map, sum(bytes) AS bytes FROM compat GROUP BY map').all()) {
      this.#bytes.set(String(row['map']), Number(row['bytes']))
    }
  }

  put(map: string, values: readonly CompatValue[]): void {
    let grown = 0
    this.#transact(() => {
      for (const { soul, key, state, value } of values) {
        const bytes = Buffer.byteLength(soul) + Buffer.byteLength(key) + Buffer.byteLength(value) + overhead
        grown += bytes - Number(this.#statements.size.get(soul, key)?.['bytes'] ?? 0)
        this.#statements.put.run(map, soul, key, state, value, bytes)
      }
    })
    this.#bytes.set(map, this.bytes(map) + grown)
  }

  get(soul: string, key: string): CompatValue | undefined {
    const row = this.#statements.get.get(soul, key)
    return row && valueOf(row)
  }

  page(soul: string, afterKey: string, limit: number): CompatValue[] {
    return this.#statements.page.all(soul, afterKey, limit).map(valueOf)
  }

  bytes(map: string): number {
    return this.#bytes.get(map) ?? 0
  }

  shrink(map: string, bytes: number): void {
    const before = this.bytes(map)
    let left = before
    this.#transact(() => {
      while (left > bytes) {
        const rows = this.#statements.oldest.all(map, dropAtOnce)
        let last: number | undefined
        for (const row of rows) {
          if (left <= bytes) break
          last = Number(row['id'])
          left -= Number(row['bytes'])
        }
        if (last === undefined) break
        this.#statements.drop.run(map, last)
      }
    })
    this.#bytes.set(map, left)
    this.#db.exec('PRAGMA incremental_vacuum')
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #transact(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

function valueOf(row: Record<string, unknown>): CompatValue {
  const { soul, key, state, value } = row
  return { soul: String(soul), key: String(key), state: Number(state), value: String(value) }
}
