import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { migrate } from './migrations.ts'

interface Waiting {
  work: () => () => void
  reject: (error: unknown) => void
}

/** The catalog's SQLite file. Each statement is prepared once; what was committed survives a power cut. */
export class Database {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  readonly #waiting: Waiting[] = []

  /** @throws CatalogTooNewError */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 })
    try {
      // Rows lie in the order of hashes, so that many items change the same pages: the fewer checkpoints, the fewer writes.
      this.#db.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 4000;
        PRAGMA journal_size_limit = 16777216`)
      migrate(this.#db, path)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  rows<Row>(text: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(text).all(...values) as Row[]
  }

  row<Row>(text: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(text).get(...values) as Row | undefined
  }

  /** @returns how many rows it changed */
  run(text: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(text).run(...values).changes)
  }

  /** Runs `work`, which must not await, as one transaction: durable when this returns, undone when it throws. */
  transact<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /**
   * `transact`, sharing its write to disk with all that is asked for before the next turn of the loop: what waits while the
   * disk is busy goes with one sync. Each work is undone alone when it throws.
   */
  together<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work: () => this.#alone(work, resolve, reject), reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#transactAll(this.#waiting.splice(0)))
    })
  }

  close(): void {
    this.#db.close()
  }

  #transactAll(all: Waiting[]): void {
    let ends: (() => void)[] = []
    try {
      this.transact(() => {
        ends = all.map(({ work }) => work())
      })
    } catch (error) {
      for (const { reject } of all) reject(error)
      return
    }
    for (const end of ends) end()
  }

  /** @returns what says the outcome, to be called once it is durable */
  #alone<T>(work: () => T, resolve: (result: T) => void, reject: (error: unknown) => void): () => void {
    this.#db.exec('SAVEPOINT alone')
    try {
      const result = work()
      this.#db.exec('RELEASE alone')
      return () => resolve(result)
    } catch (error) {
      // A full disk may have undone the whole transaction already.
      if (!this.#db.isTransaction) throw error
      this.#db.exec('ROLLBACK TO alone; RELEASE alone')
      return () => reject(error)
    }
  }

  #statement(text: string): StatementSync {
    let statement = this.#prepared.get(text)
    if (statement === undefined) this.#prepared.set(text, (statement = this.#db.prepare(text)))
    return statement
  }
}
