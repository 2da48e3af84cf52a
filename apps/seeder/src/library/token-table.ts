import type { TokenRecord, TokenStore } from './access-port.ts'
import type { Database } from './database.ts'

interface TokenRow {
  id: string
  hash: Uint8Array
  owner: string
  label: string
  scopes: string
  reader: string | null
  created_at: number
  expires_at: number | null
}

/** The tokens of the API, by their ids. */
export class TokenTable implements TokenStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  add({ id, hash, owner, label, scopes, reader, createdAt, expiresAt }: TokenRecord): void {
    this.#db.run(
      'INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      hash,
      owner,
      label,
      scopes.join(' '),
      reader ?? null,
      createdAt,
      expiresAt ?? null,
    )
  }

  get(id: string): TokenRecord | undefined {
    const row = this.#db.row<TokenRow>('SELECT * FROM tokens WHERE id = ?', id)
    return row && recordOf(row)
  }

  list(): TokenRecord[] {
    return this.#db.rows<TokenRow>('SELECT * FROM tokens ORDER BY created_at DESC, id').map(recordOf)
  }

  of(owner: string): TokenRecord[] {
    return this.#db.rows<TokenRow>('SELECT * FROM tokens WHERE owner = ?', owner).map(recordOf)
  }

  count(): number {
    return this.#db.row<{ count: number }>('SELECT count(*) AS count FROM tokens')?.count ?? 0
  }

  remove(id: string): boolean {
    return this.#db.run('DELETE FROM tokens WHERE id = ?', id) > 0
  }

  nextExpiry(after: number): number | undefined {
    const text = 'SELECT min(expires_at) AS at FROM tokens WHERE expires_at > ?'
    return this.#db.row<{ at: number | null }>(text, after)?.at ?? undefined
  }

  expired(after: number, until: number): string[] {
    const text = 'SELECT id FROM tokens WHERE expires_at > ? AND expires_at <= ?'
    return this.#db.rows<{ id: string }>(text, after, until).map(({ id }) => id)
  }

  removeExpired(before: number): void {
    this.#db.run('DELETE FROM tokens WHERE expires_at < ?', before)
  }
}

function recordOf({ id, hash, owner, label, scopes, reader, created_at, expires_at }: TokenRow): TokenRecord {
  return {
    id,
    hash,
    owner,
    label,
    scopes: scopes.split(' ').filter((scope) => scope !== ''),
    ...(reader !== null && { reader }),
    createdAt: created_at,
    ...(expires_at !== null && { expiresAt: expires_at }),
  }
}
