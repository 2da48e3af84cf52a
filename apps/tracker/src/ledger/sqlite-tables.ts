import { LedgerFailure } from './failure.ts'
import { LedgerFile } from './ledger-file.ts'
import { forgottenAtOnce, greatestTotal, mostBans, mostKeys, mostListed, remembranceMs, sourceMs } from './limits.ts'
import { newPasskey, passkeyHash } from './passkey.ts'
import {
  type Ban,
  type Change,
  type Changes,
  type Key,
  type ListName,
  type NewKey,
  type Page,
  type PageRequest,
  perBatch,
  type Position,
  type TotalsBatch,
} from './port.ts'

interface KeyRow extends Omit<Key, 'revokedAt'> {
  hash: string
  revokedAt: number | null
  sequence: number
}

interface EntryRow {
  kind: ListName | 'ban'
  name: string
  until: number
  goneAt: number | null
  sequence: number
}

/** The ledger in one file, by calls that block: they wait for the disk. */
export class SqliteTables {
  readonly #file: LedgerFile
  readonly #now: () => number

  /** @throws LedgerFailure */
  constructor(path: string, now: () => number) {
    this.#file = new LedgerFile(path)
    this.#now = now
  }

  create(label: string): NewKey {
    const passkey = newPasskey()
    const createdAt = this.#now()
    const id = this.#file.transact(() => {
      if (this.#tally('key') >= mostKeys) throw new LedgerFailure({ kind: 'full', what: 'keys', most: mostKeys })
      const [made] = this.#file.rows<{ id: number }>(
        'INSERT INTO key (hash, label, createdAt, sequence) VALUES (?, ?, ?, ?) RETURNING id',
        passkeyHash(passkey),
        label,
        createdAt,
        this.#next(),
      )
      return made?.id ?? 0
    })
    return { id, label, createdAt, uploaded: 0, downloaded: 0, passkey }
  }

  revoke(id: number): boolean {
    return this.#file.transact(() => {
      const key = this.find(id)
      if (key === undefined || key.revokedAt !== undefined) return key !== undefined
      this.#file.run('UPDATE key SET revokedAt = ?, sequence = ? WHERE id = ?', this.#now(), this.#next(), id)
      return true
    })
  }

  find(id: number): Key | undefined {
    const [row] = this.#file.rows<KeyRow>('SELECT * FROM key WHERE id = ?', id)
    return row && keyOf(row)
  }

  keys({ after, limit }: PageRequest): Page<Key> {
    const rows = this.#file.rows<KeyRow>(
      'SELECT * FROM key WHERE id > ? ORDER BY id LIMIT ?',
      Number(after ?? 0),
      limit + 1,
    )
    return pageOf(rows, limit, keyOf, ({ id }) => String(id))
  }

  setListed(list: ListName, infoHashes: readonly string[], isListed: boolean): void {
    this.#file.transact(() => {
      for (const infoHash of infoHashes) {
        if (this.#isThere(list, infoHash) === isListed) continue
        if (isListed && this.#tally('allowed') + this.#tally('denied') >= mostListed)
          throw new LedgerFailure({ kind: 'full', what: 'infohashes', most: mostListed })
        this.#enter(list, infoHash, 0, isListed ? null : this.#now())
      }
    })
  }

  listed(list: ListName, page: PageRequest): Page<string> {
    const rows = this.#entries(list, page)
    return pageOf(
      rows,
      page.limit,
      ({ name }) => name,
      ({ name }) => name,
    )
  }

  ban(bans: readonly Ban[]): void {
    this.#file.transact(() => {
      this.#file.run(
        `UPDATE entry SET goneAt = until WHERE kind = 'ban' AND goneAt IS NULL AND until <= ?`,
        this.#now(),
      )
      let room = mostBans - this.#tally('ban')
      for (const { network, until } of bans) {
        const isThere = this.#isThere('ban', network)
        if (until <= this.#now()) {
          // Somebody may have made it a moment ago, and has to hear that it is lifted.
          if (isThere || until === 0) this.#enter('ban', network, 0, this.#now())
          continue
        }
        if (!isThere && room-- <= 0) continue
        this.#enter('ban', network, until, null)
      }
    })
  }

  bans(page: PageRequest): Page<Ban> {
    const rows = this.#entries('ban', page)
    return pageOf(
      rows,
      page.limit,
      ({ name, until }) => ({ network: name, until }),
      ({ name }) => name,
    )
  }

  changesSince(position: Position | undefined): Changes {
    // One snapshot of both tables: a sequence number between theirs must not be passed over.
    return this.#file.snapshot(() => {
      const [about] = this.#file.rows<Position>('SELECT epoch, sequence FROM about')
      if (about === undefined) throw new Error('the ledger has lost its first row')
      const isFresh = position?.epoch !== about.epoch || position.sequence > about.sequence
      const from = isFresh ? 0 : position.sequence
      const keys = this.#file.rows<KeyRow>(
        'SELECT * FROM key WHERE sequence > ? ORDER BY sequence LIMIT ?',
        from,
        perBatch,
      )
      const entries = this.#file.rows<EntryRow>(
        'SELECT * FROM entry WHERE sequence > ? ORDER BY sequence LIMIT ?',
        from,
        perBatch,
      )
      const rows = [...keys, ...entries].sort((a, b) => a.sequence - b.sequence).slice(0, perBatch)
      const hasMore = rows.length === perBatch
      const sequence = hasMore ? (rows.at(-1)?.sequence ?? from) : about.sequence
      return { changes: rows.map(changeOf), position: { epoch: about.epoch, sequence }, isFresh, hasMore }
    })
  }

  addTotals({ source, number, totals }: TotalsBatch): void {
    this.#file.transact(() => {
      const [known] = this.#file.rows<{ number: number }>('SELECT number FROM source WHERE name = ?', source)
      if (known !== undefined && known.number >= number) return
      const now = this.#now()
      this.#file.run('INSERT OR REPLACE INTO source VALUES (?, ?, ?)', source, number, now)
      this.#file.run('DELETE FROM source WHERE heardAt < ?', now - sourceMs)
      for (const { id, uploaded, downloaded } of totals) {
        this.#file.run(
          `UPDATE key SET uploaded = min(uploaded + ?, ${greatestTotal}), downloaded = min(downloaded + ?, ${greatestTotal})
            WHERE id = ?`,
          uploaded,
          downloaded,
          id,
        )
      }
    })
  }

  /** @throws LedgerFailure */
  ensureThere(): void {
    this.#file.ensureThere()
  }

  close(): void {
    this.#file.close()
  }

  #enter(kind: EntryRow['kind'], name: string, until: number, goneAt: number | null): void {
    this.#file.run(
      `INSERT INTO entry VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET until = excluded.until, goneAt = excluded.goneAt, sequence = excluded.sequence`,
      kind,
      name,
      until,
      goneAt,
      this.#next(),
    )
  }

  #entries(kind: EntryRow['kind'], { after = '', limit }: PageRequest): EntryRow[] {
    return this.#file.rows(
      `SELECT * FROM entry WHERE kind = ? AND name > ? AND goneAt IS NULL AND (kind <> 'ban' OR until > ?)
        ORDER BY name LIMIT ?`,
      kind,
      after,
      this.#now(),
      limit + 1,
    )
  }

  #isThere(kind: EntryRow['kind'], name: string): boolean {
    return (
      this.#file.rows('SELECT 1 FROM entry WHERE kind = ? AND name = ? AND goneAt IS NULL', kind, name).length === 1
    )
  }

  /** How many there are, without counting them. */
  #tally(kind: string): number {
    return this.#file.rows<{ count: number }>('SELECT count FROM tally WHERE kind = ?', kind)[0]?.count ?? 0
  }

  /** The number of a change, which goes with forgetting a little of what is long over. */
  #next(): number {
    const before = this.#now() - remembranceMs
    this.#file.run(
      'DELETE FROM key WHERE id IN (SELECT id FROM key WHERE revokedAt < ? LIMIT ?)',
      before,
      forgottenAtOnce,
    )
    this.#file.run(
      `DELETE FROM entry WHERE (kind, name) IN (SELECT kind, name FROM entry WHERE goneAt < ? LIMIT ?)`,
      before,
      forgottenAtOnce,
    )
    const [row] = this.#file.rows<{ sequence: number }>('UPDATE about SET sequence = sequence + 1 RETURNING sequence')
    if (row === undefined) throw new Error('the ledger has lost its first row')
    return row.sequence
  }
}

const keyOf = ({ id, label, createdAt, revokedAt, uploaded, downloaded }: KeyRow): Key => ({
  id,
  label,
  createdAt,
  ...(revokedAt !== null && { revokedAt }),
  uploaded,
  downloaded,
})

const changeOf = (row: KeyRow | EntryRow): Change => {
  if ('id' in row) return { kind: 'key', id: row.id, hash: row.hash, isRevoked: row.revokedAt !== null }
  const { kind, name, until, goneAt } = row
  if (kind === 'ban') return { kind, network: name, until: goneAt === null ? until : 0 }
  return { kind, infoHash: name, isListed: goneAt === null }
}

const pageOf = <Row, T>(rows: Row[], limit: number, item: (row: Row) => T, place: (row: Row) => string): Page<T> => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(item), ...(rows.length > limit && last !== undefined && { next: place(last) }) }
}
