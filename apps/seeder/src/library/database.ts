import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { migrate } from './migrations.ts'

/** The catalog's SQLite file. Each statement is prepared once; what was committed survives a power cut. */
export class Database {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  /** @throws CatalogTooNewError */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 })
    try {
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216')
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

  close(): void {
    this.#db.close()
  }

  #statement(text: string): StatementSync {
    let statement = this.#prepared.get(text)
    if (statement === undefined) this.#prepared.set(text, (statement = this.#db.prepare(text)))
    return statement
  }
}
