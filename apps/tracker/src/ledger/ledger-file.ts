import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { LedgerFailure } from './failure.ts'

const version = 1

const tables = `
  CREATE TABLE about (epoch TEXT NOT NULL, sequence INTEGER NOT NULL);
  CREATE TABLE key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    label TEXT NOT NULL,
    createdAt INTEGER NOT NULL,
    revokedAt INTEGER,
    uploaded INTEGER NOT NULL DEFAULT 0,
    downloaded INTEGER NOT NULL DEFAULT 0,
    sequence INTEGER NOT NULL UNIQUE);
  CREATE INDEX key_revoked ON key (revokedAt) WHERE revokedAt IS NOT NULL;
  CREATE TABLE entry (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    until INTEGER NOT NULL DEFAULT 0,
    goneAt INTEGER,
    sequence INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (kind, name)) WITHOUT ROWID;
  CREATE INDEX entry_gone ON entry (goneAt) WHERE goneAt IS NOT NULL;
  CREATE TABLE tally (kind TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO tally VALUES ('key', 0), ('allowed', 0), ('denied', 0), ('ban', 0);
  CREATE TRIGGER key_in AFTER INSERT ON key BEGIN UPDATE tally SET count = count + 1 WHERE kind = 'key'; END;
  CREATE TRIGGER key_out AFTER DELETE ON key BEGIN UPDATE tally SET count = count - 1 WHERE kind = 'key'; END;
  CREATE TRIGGER entry_in AFTER INSERT ON entry WHEN new.goneAt IS NULL
    BEGIN UPDATE tally SET count = count + 1 WHERE kind = new.kind; END;
  CREATE TRIGGER entry_turn AFTER UPDATE ON entry WHEN (new.goneAt IS NULL) <> (old.goneAt IS NULL)
    BEGIN UPDATE tally SET count = count + iif(new.goneAt IS NULL, 1, -1) WHERE kind = new.kind; END;
  CREATE TABLE source (name TEXT PRIMARY KEY, number INTEGER NOT NULL, heardAt INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX source_heard ON source (heardAt)`

/** The ledger's file, readable by its owner alone, and open in several workers at once. */
export class LedgerFile {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #inode: bigint
  readonly #prepared = new Map<string, StatementSync>()

  /** @throws LedgerFailure */
  constructor(path: string) {
    let db: DatabaseSync | undefined
    this.#path = path
    try {
      this.#inode = touched(path)
      db = new DatabaseSync(path, { timeout: 5000 })
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304')
      prepare(db)
      this.#db = db
    } catch (error) {
      db?.close()
      if (error instanceof LedgerFailure) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new LedgerFailure({ kind: 'file', reason }, { cause: error })
    }
  }

  /** What is written to a file without a name is lost with the process. @throws LedgerFailure */
  ensureThere(): void {
    if (statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode) return
    const reason = 'its file was removed or replaced while the tracker runs: put it back, or start the tracker again'
    throw new LedgerFailure({ kind: 'other', reason })
  }

  /** Durable when this returns, undone when it throws. */
  transact<T>(work: () => T): T {
    return this.#within('BEGIN IMMEDIATE', work)
  }

  /** All that is read in it is of one moment. */
  snapshot<T>(work: () => T): T {
    return this.#within('BEGIN', work)
  }

  rows<Row>(text: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(text).all(...values) as Row[]
  }

  run(text: string, ...values: SQLInputValue[]): void {
    this.#statement(text).run(...values)
  }

  close(): void {
    this.#db.close()
  }

  #within<T>(begin: string, work: () => T): T {
    this.#db.exec(begin)
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #statement(text: string): StatementSync {
    let statement = this.#prepared.get(text)
    if (statement === undefined) this.#prepared.set(text, (statement = this.#db.prepare(text)))
    return statement
  }
}

/** Makes the file if it is not there. @returns its inode */
const touched = (path: string): bigint => {
  const descriptor = openSync(path, 'a', 0o600)
  try {
    return fstatSync(descriptor, { bigint: true }).ino
  } finally {
    closeSync(descriptor)
  }
}

const prepare = (db: DatabaseSync): void => {
  db.exec('BEGIN IMMEDIATE')
  try {
    const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (found > version) throw new LedgerFailure({ kind: 'too_new', version: found })
    if (found === 0) {
      db.exec(tables)
      db.prepare('INSERT INTO about VALUES (?, 0)').run(randomBytes(12).toString('base64url'))
      db.exec(`PRAGMA user_version = ${version}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
