import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import type { Entry, GraphStore } from '@eldernode/core/graph'

interface Statements {
  upsert: StatementSync
  get: StatementSync
  page: StatementSync
  keys: StatementSync
  keysWith: StatementSync
  newest: StatementSync
  firstSoul: StatementSync
  nextSoul: StatementSync
}

/**
 * The graph's entries in one SQLite file. Other nodes have what they published, so their values survive a crash of the
 * process only (WAL, synchronous=NORMAL); what this node publishes is synced to disk before it counts.
 */
export class SqliteGraphStore implements GraphStore {
  readonly #db: DatabaseSync
  readonly #statements: Statements
  #syncing = false

  constructor(path: string) {
    const db = new DatabaseSync(path)
    // Values are appended and found through a small index: with the values in the key's own B-tree (WITHOUT ROWID), or
    // with pages of 4 KB, an insert costs several times as much.
    db.exec(`
      PRAGMA page_size = 8192;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA busy_timeout = 5000;
      PRAGMA cache_size = -16384;
      CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY,
        soul TEXT NOT NULL,
        key TEXT NOT NULL,
        ts INTEGER NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (soul, key)
      ) STRICT;
    `)
    this.#db = db
    this.#statements = {
      // TEXT compares by its UTF-8 bytes, which is the order that decides between two values of one time.
      upsert: db.prepare(`
        INSERT INTO entries (soul, key, ts, value) VALUES (?, ?, ?, ?)
        ON CONFLICT (soul, key) DO UPDATE SET ts = excluded.ts, value = excluded.value
        WHERE excluded.ts > ts OR (excluded.ts = ts AND excluded.value > value)`),
      get: db.prepare('SELECT soul, key, ts, value FROM entries WHERE soul = ? AND key = ?'),
      page: db.prepare('SELECT soul, key, ts, value FROM entries WHERE soul = ? AND key > ? ORDER BY key LIMIT ?'),
      // Answered by the index alone: values are not read. One text for all: rows would cost three times as much.
      keys: db.prepare(`SELECT json_group_array(key) AS keys FROM (
        SELECT key FROM entries WHERE soul = ? AND key > ? ORDER BY key LIMIT ?)`),
      keysWith: db.prepare(`SELECT json_group_array(key) AS keys FROM (
        SELECT key FROM entries WHERE soul = ? AND key > ? AND instr(value, ?) > 0 ORDER BY key LIMIT ?)`),
      newest: db.prepare('SELECT max(ts) AS ts FROM entries WHERE soul = ?'),
      firstSoul: db.prepare('SELECT soul FROM entries WHERE soul >= ? ORDER BY soul LIMIT 1'),
      nextSoul: db.prepare('SELECT soul FROM entries WHERE soul > ? ORDER BY soul LIMIT 1'),
    }
  }

  upsert(entries: readonly Entry[], durable: boolean): void {
    if (durable !== this.#syncing) {
      this.#db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
      this.#syncing = durable
    }
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const { soul, key, ts, value } of entries) this.#statements.upsert.run(soul, key, ts, value)
      this.#db.exec('COMMIT')
    } catch (error) {
      // A full disk may have rolled it back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  get(soul: string, key: string): Entry | undefined {
    const row = this.#statements.get.get(soul, key)
    return row && entryOf(row)
  }

  page(soul: string, afterKey: string, limit: number): Entry[] {
    return this.#statements.page.all(soul, afterKey, limit).map(entryOf)
  }

  keys(soul: string, afterKey: string, limit: number, text?: string): string[] {
    const { keys, keysWith } = this.#statements
    const row = text === undefined ? keys.get(soul, afterKey, limit) : keysWith.get(soul, afterKey, text, limit)
    return JSON.parse(String(row?.['keys'])) as string[]
  }

  newest(soul: string): number {
    return Number(this.#statements.newest.get(soul)?.['ts'] ?? 0)
  }

  souls(prefix: string, afterSoul: string, limit: number): string[] {
    const { firstSoul, nextSoul } = this.#statements
    const found: string[] = []
    // One seek for each soul: SQLite would read every entry for a DISTINCT, or those before the greater of two bounds.
    while (found.length < limit) {
      const last = found.at(-1) ?? afterSoul
      const row = last < prefix ? firstSoul.get(prefix) : nextSoul.get(last)
      const soul = row === undefined ? undefined : String(row['soul'])
      if (!soul?.startsWith(prefix)) break
      found.push(soul)
    }
    return found
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }
}

function entryOf(row: Record<string, unknown>): Entry {
  return { soul: String(row['soul']), key: String(row['key']), ts: Number(row['ts']), value: String(row['value']) }
}
