import type { Database } from './database.ts'
import { TooManyReadersError } from './errors.ts'
import type { ItemKey, ItemReader, KeyStore, NewItemKey, RegisteredReader } from './key-port.ts'

interface KeyRow {
  info_hash: string
  owner: string
  content: string
  wrapped: Uint8Array
  rotate_every: number | null
  rotate_at: number | null
  successor: string | null
}

const mostReaders = 1000
const mostRegistered = 100_000

/** The tables `item_keys`, `item_readers` and `readers`. */
export class KeyTable implements KeyStore {
  readonly #db: Database
  readonly #mostRegistered: number

  constructor(db: Database, { most = mostRegistered }: { most?: number } = {}) {
    this.#db = db
    this.#mostRegistered = most
  }

  /** Part of the transaction that makes the item. */
  add(infoHash: string, { owner, content, wrapped, readers, rotateEvery, rotateAt, replaces }: NewItemKey): void {
    this.#db.run(
      'INSERT OR REPLACE INTO item_keys VALUES (?, ?, ?, ?, ?, ?, NULL)',
      infoHash,
      owner,
      content,
      wrapped,
      rotateEvery ?? null,
      rotateAt ?? null,
    )
    for (const recipient of readers) this.#putReader(infoHash, { recipient, state: 'wanted' })
    if (replaces !== undefined) {
      const text = 'UPDATE item_keys SET successor = ?, rotate_at = NULL WHERE info_hash = ?'
      this.#db.run(text, infoHash, replaces)
    }
  }

  /** Part of the transaction that purges the item. */
  delete(infoHash: string): void {
    this.#db.run('DELETE FROM item_keys WHERE info_hash = ?', infoHash)
    this.#db.run('DELETE FROM item_readers WHERE info_hash = ?', infoHash)
  }

  get(infoHash: string): ItemKey | undefined {
    const row = this.#db.row<KeyRow>('SELECT * FROM item_keys WHERE info_hash = ?', infoHash)
    return row && keyOf(row)
  }

  isEncrypted(infoHash: string): boolean {
    const text = `SELECT 1 FROM items WHERE info_hash = ? AND json_extract(about, '$.encryption.recipient') IS NOT NULL`
    return this.#db.row(text, infoHash) !== undefined
  }

  withContent(owner: string, content: string): ItemKey[] {
    const text = `SELECT item_keys.* FROM item_keys JOIN items USING (info_hash)
      WHERE item_keys.owner = ? AND content = ? ORDER BY created_at LIMIT 100`
    return this.#db.rows<KeyRow>(text, owner, content).map(keyOf)
  }

  readers(infoHash: string): ItemReader[] {
    const text = 'SELECT recipient, state FROM item_readers WHERE info_hash = ? ORDER BY recipient'
    return this.#db.rows<ItemReader>(text, infoHash).map((row) => ({ ...row }))
  }

  isReader(infoHash: string, name: string): boolean {
    const recipient = this.registered(name)?.recipient ?? name
    const text = `SELECT 1 FROM item_readers WHERE info_hash = ? AND recipient = ? AND state <> 'removed'`
    return this.#db.row(text, infoHash, recipient) !== undefined
  }

  setReader(infoHash: string, reader: ItemReader): void {
    this.#db.transact(() => {
      this.#putReader(infoHash, reader)
      const text = 'SELECT count(*) AS count FROM item_readers WHERE info_hash = ?'
      const { count } = this.#db.row<{ count: number }>(text, infoHash) ?? { count: 0 }
      if (count > mostReaders) throw new TooManyReadersError(mostReaders)
    })
  }

  unpublished(limit: number, after = { infoHash: '', recipient: '' }): ({ infoHash: string } & ItemReader)[] {
    const text = `SELECT info_hash AS infoHash, recipient, state FROM item_readers
      WHERE state <> 'granted' AND (info_hash, recipient) > (?, ?) ORDER BY info_hash, recipient LIMIT ?`
    return this.#db.rows(text, after.infoHash, after.recipient, limit)
  }

  published(infoHash: string, { recipient, state }: ItemReader): void {
    const which = 'WHERE info_hash = ? AND recipient = ? AND state = ?'
    if (state === 'removed') this.#db.run(`DELETE FROM item_readers ${which}`, infoHash, recipient, state)
    else this.#db.run(`UPDATE item_readers SET state = 'granted' ${which}`, infoHash, recipient, state)
  }

  schedule(infoHash: string, rotation: { every: number; at: number } | undefined): void {
    const text = 'UPDATE item_keys SET rotate_every = ?, rotate_at = ? WHERE info_hash = ?'
    this.#db.run(text, rotation?.every ?? null, rotation?.at ?? null, infoHash)
  }

  nextRotation(): { infoHash: string; rotateAt: number } | undefined {
    const text = `SELECT info_hash AS infoHash, rotate_at AS rotateAt FROM item_keys WHERE rotate_at IS NOT NULL
      ORDER BY rotate_at LIMIT 1`
    return this.#db.row(text)
  }

  replaced(): string[] {
    const text = 'SELECT info_hash AS infoHash FROM item_keys WHERE successor IS NOT NULL ORDER BY info_hash'
    return this.#db.rows<{ infoHash: string }>(text).map(({ infoHash }) => infoHash)
  }

  retired(infoHash: string): void {
    this.#db.run('UPDATE item_keys SET successor = NULL WHERE info_hash = ?', infoHash)
  }

  registered(id: string): RegisteredReader | undefined {
    return this.#db.row('SELECT id, recipient, signed_at AS signedAt FROM readers WHERE id = ?', id)
  }

  register({ id, recipient, signedAt }: RegisteredReader): void {
    this.#db.transact(() => {
      this.#db.run(
        `INSERT INTO readers VALUES (?, ?, ?) ON CONFLICT DO UPDATE
         SET recipient = excluded.recipient, signed_at = excluded.signed_at WHERE excluded.signed_at > signed_at`,
        id,
        recipient,
        signedAt,
      )
      const { count } = this.#db.row<{ count: number }>('SELECT count(*) AS count FROM readers') ?? { count: 0 }
      if (count <= this.#mostRegistered) return
      const unused = 'recipient NOT IN (SELECT recipient FROM item_readers)'
      const oldest = `SELECT id FROM readers WHERE ${unused} ORDER BY signed_at LIMIT ?`
      this.#db.run(`DELETE FROM readers WHERE id IN (${oldest})`, count - this.#mostRegistered)
    })
  }

  #putReader(infoHash: string, { recipient, state }: ItemReader): void {
    this.#db.run(
      'INSERT INTO item_readers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state',
      infoHash,
      recipient,
      state,
    )
  }
}

function keyOf(row: KeyRow): ItemKey {
  return {
    infoHash: row.info_hash,
    owner: row.owner,
    content: row.content,
    wrapped: row.wrapped,
    ...(row.rotate_every !== null && { rotateEvery: row.rotate_every }),
    ...(row.rotate_at !== null && { rotateAt: row.rotate_at }),
    ...(row.successor !== null && { successor: row.successor }),
  }
}
