import { z } from 'zod'
import type { Database } from './database.ts'
import type { NewUpload, UploadEnd, UploadRecord, UploadStore } from './upload-port.ts'

interface UploadRow {
  id: string
  owner: string
  token: string | null
  size: number | null
  received: number
  metadata: string
  wanted: string
  secret: Uint8Array | null
  changed_at: number
  state: UploadRecord['state']
  info_hash: string | null
  error: string | null
}

const metadataSchema = z.record(z.string(), z.string().nullable())
const errorSchema = z.object({ code: z.string(), detail: z.string() })

export class UploadTable implements UploadStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  async add({ id, owner, token, size, metadata, wanted, secret }: NewUpload, now: number): Promise<void> {
    await this.#run(
      `INSERT INTO uploads (id, owner, token, size, received, metadata, wanted, secret, changed_at, state)
       VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, 'receiving')`,
      id,
      owner,
      token ?? null,
      size ?? null,
      JSON.stringify(metadata),
      wanted,
      secret ?? null,
      now,
    )
  }

  get(id: string): UploadRecord | undefined {
    const row = this.#db.row<UploadRow>('SELECT * FROM uploads WHERE id = ?', id)
    return row && recordOf(row)
  }

  async advance(id: string, received: number, now: number): Promise<void> {
    await this.#run('UPDATE uploads SET received = ?, changed_at = ? WHERE id = ?', received, now, id)
  }

  async declareSize(id: string, size: number, now: number): Promise<void> {
    await this.#run('UPDATE uploads SET size = ?, changed_at = ? WHERE id = ? AND size IS NULL', size, now, id)
  }

  async end(id: string, end: UploadEnd, now: number): Promise<void> {
    const [state, infoHash, error] =
      'infoHash' in end ? ['published', end.infoHash, null] : ['failed', null, JSON.stringify(end.error)]
    await this.#run(
      `UPDATE uploads SET state = ?, info_hash = ?, error = ?, wanted = '{}', secret = NULL, changed_at = ?
       WHERE id = ?`,
      state ?? '',
      infoHash ?? null,
      error ?? null,
      now,
      id,
    )
  }

  async remove(id: string): Promise<void> {
    await this.#run('DELETE FROM uploads WHERE id = ?', id)
  }

  count(owner?: string): number {
    const text = `SELECT count(*) AS count FROM uploads WHERE state = 'receiving' AND (? IS NULL OR owner = ?)`
    return this.#db.row<{ count: number }>(text, owner ?? null, owner ?? null)?.count ?? 0
  }

  begunWith(token: string): string[] {
    return this.#ids(`SELECT id FROM uploads WHERE token = ? AND state = 'receiving'`, token)
  }

  reservedBytes(owner?: string): number {
    const text = `SELECT coalesce(sum(coalesce(size, received)), 0) AS bytes FROM uploads
      WHERE (? IS NULL OR owner = ?) AND state = 'receiving'`
    return this.#db.row<{ bytes: number }>(text, owner ?? null, owner ?? null)?.bytes ?? 0
  }

  complete(): string[] {
    return this.#ids(`SELECT id FROM uploads WHERE state = 'receiving' AND received = size`)
  }

  stale(before: number, limit: number): string[] {
    return this.#ids('SELECT id FROM uploads WHERE changed_at < ? ORDER BY changed_at LIMIT ?', before, limit)
  }

  #ids(text: string, ...values: (number | string)[]): string[] {
    return this.#db.rows<{ id: string }>(text, ...values).map(({ id }) => id)
  }

  async #run(...[text, ...values]: Parameters<Database['run']>): Promise<void> {
    await this.#db.together(() => this.#db.run(text, ...values))
  }
}

function recordOf(row: UploadRow): UploadRecord {
  return {
    id: row.id,
    owner: row.owner,
    ...(row.token !== null && { token: row.token }),
    ...(row.size !== null && { size: row.size }),
    metadata: metadataSchema.parse(JSON.parse(row.metadata)),
    wanted: row.wanted,
    ...(row.secret !== null && { secret: row.secret }),
    received: row.received,
    changedAt: row.changed_at,
    state: row.state,
    ...(row.info_hash !== null && { infoHash: row.info_hash }),
    ...(row.error !== null && { error: errorSchema.parse(JSON.parse(row.error)) }),
  }
}
