import { InvalidInputError } from '@eldernode/core'
import { z } from 'zod'
import type { Database } from './database.ts'
import type { ImportEnd, ImportRecord, ImportState, ImportStore, NewImport } from './import-port.ts'

interface ImportRow {
  n: number
  id: string
  owner: string
  token: string | null
  kind: string
  source: string
  options: string
  state: ImportState
  attempts: number
  info_hash: string | null
  error: string | null
  bytes: number
  created_at: number
  changed_at: number
}

const errorSchema = z.object({ code: z.string(), detail: z.string() })

export class ImportTable implements ImportStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  async add({ id, owner, token, kind, source, options }: NewImport, now: number): Promise<void> {
    await this.#db.together(() =>
      this.#db.run(
        `INSERT INTO imports (id, owner, token, kind, source, options, state, created_at, changed_at)
         VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?)`,
        id,
        owner,
        token ?? null,
        kind,
        source,
        options,
        now,
        now,
      ),
    )
  }

  get(id: string): ImportRecord | undefined {
    const row = this.#db.row<ImportRow>('SELECT * FROM imports WHERE id = ?', id)
    return row && recordOf(row)
  }

  list({ owner, cursor, limit }: { owner?: string; cursor?: string; limit: number }) {
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
      throw new InvalidInputError('The cursor is not one of this list: leave it out to start from the newest import.')
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
    const rest = 'n < ? ORDER BY n DESC LIMIT ?'
    const rows =
      owner === undefined
        ? this.#db.rows<ImportRow>(`SELECT * FROM imports WHERE ${rest}`, before, limit + 1)
        : this.#db.rows<ImportRow>(`SELECT * FROM imports WHERE owner = ? AND ${rest}`, owner, before, limit + 1)
    const page = rows.slice(0, limit)
    const last = rows.length > limit ? page.at(-1) : undefined
    return { imports: page.map(recordOf), ...(last && { nextCursor: String(last.n) }) }
  }

  unfinished(token?: string): { id: string; owner: string }[] {
    const those = `SELECT id, owner FROM imports WHERE state IN ('queued', 'running')`
    if (token === undefined) return this.#db.rows(`${those} ORDER BY n`)
    return this.#db.rows(`${those} AND token = ? ORDER BY n`, token)
  }

  begin(id: string, now: number): number {
    const text = `UPDATE imports SET state = 'running', attempts = attempts + 1, changed_at = ? WHERE id = ?
      RETURNING attempts`
    return this.#db.row<{ attempts: number }>(text, now, id)?.attempts ?? 0
  }

  putOff(id: string, error: ImportEnd['error'], now: number): void {
    const text = `UPDATE imports SET state = 'queued', error = ?, changed_at = ? WHERE id = ?`
    this.#db.run(text, JSON.stringify(error), now, id)
  }

  end(id: string, { state, infoHash, error, bytes }: ImportEnd, now: number, source?: string): void {
    this.#db.run(
      `UPDATE imports SET state = ?, info_hash = ?, error = ?, bytes = ?, changed_at = ?,
       source = coalesce(?, source) WHERE id = ?`,
      state,
      infoHash ?? null,
      error === undefined ? null : JSON.stringify(error),
      bytes,
      now,
      source ?? null,
      id,
    )
  }

  remove(id: string): void {
    this.#db.run('DELETE FROM imports WHERE id = ?', id)
  }

  prune(keep: number): void {
    const finished = `FROM imports WHERE state NOT IN ('queued', 'running')`
    this.#db.run(
      `DELETE ${finished} AND n IN (SELECT n ${finished} ORDER BY changed_at DESC, n DESC LIMIT -1 OFFSET ?)`,
      keep,
    )
  }
}

function recordOf(row: ImportRow): ImportRecord {
  const { id, owner, token, kind, source, options, state, attempts, info_hash, error, bytes, created_at, changed_at } =
    row
  return {
    id,
    owner,
    kind,
    source,
    options,
    state,
    attempts,
    bytes,
    ...(token !== null && { token }),
    ...(info_hash !== null && { infoHash: info_hash }),
    ...(error !== null && { error: errorSchema.parse(JSON.parse(error)) }),
    createdAt: created_at,
    changedAt: changed_at,
  }
}
