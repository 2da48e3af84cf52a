import { accessSchema } from '@eldernode/core'
import { z } from 'zod'
import type { Database } from './database.ts'
import type { CopyRecord, EventRecord, EventStore, NewEventRecord } from './event-port.ts'

interface EventRow {
  id: number
  type: string
  info_hash: string | null
  owner: string
  access: string
  at: number
  data: string
}

interface CopyRow {
  info_hash: string
  state: string
  min: number
  target: number
  owner: string
  access: string
}

/** Events kept for those who were away. */
const mostKept = 100_000
/** The oldest are removed so many at a time. */
const prunedAtOnce = 1000

const stateSchema = z.enum(['new', 'enough', 'whole', 'degraded'])
const dataSchema = z.record(z.string(), z.union([z.string(), z.number()]))

export class EventTable implements EventStore {
  readonly #db: Database
  readonly #most: number
  #newest: number

  constructor(db: Database, most = mostKept) {
    this.#db = db
    this.#most = most
    const row = this.#db.row<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    this.#newest = row?.seq ?? 0
  }

  append(
    events: readonly NewEventRecord[],
    copies: ReadonlyMap<string, CopyRecord | undefined> = new Map(),
  ): EventRecord[] {
    const first = this.#newest + 1
    this.#db.transact(() => {
      for (const [n, { type, infoHash, owner, access, at, data }] of events.entries()) {
        const text = 'INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)'
        this.#db.run(text, first + n, type, infoHash ?? null, owner, access, at, JSON.stringify(data ?? {}))
      }
      for (const [infoHash, record] of copies) this.#note(infoHash, record)
      const last = this.#newest + events.length
      if (last - this.oldest() >= this.#most + prunedAtOnce)
        this.#db.run('DELETE FROM events WHERE id <= ?', last - this.#most)
    })
    this.#newest += events.length
    return events.map((event, n) => ({ ...event, id: first + n }))
  }

  after(id: number, limit: number): EventRecord[] {
    return this.#db.rows<EventRow>('SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?', id, limit).map(eventOf)
  }

  get(id: number): EventRecord | undefined {
    const row = this.#db.row<EventRow>('SELECT * FROM events WHERE id = ?', id)
    return row && eventOf(row)
  }

  newest(): number {
    return this.#newest
  }

  oldest(): number {
    return this.#db.row<{ id: number | null }>('SELECT min(id) AS id FROM events')?.id ?? this.#newest + 1
  }

  copies(infoHash: string): CopyRecord | undefined {
    const row = this.#db.row<CopyRow>('SELECT * FROM copies WHERE info_hash = ?', infoHash)
    return row && copyOf(row)
  }

  copiesIn(bucket: string): CopyRecord[] {
    const text = 'SELECT * FROM copies WHERE info_hash >= ? AND info_hash < ?'
    return this.#db.rows<CopyRow>(text, bucket, `${bucket}g`).map(copyOf)
  }

  #note(infoHash: string, record: CopyRecord | undefined): void {
    if (record === undefined) this.#db.run('DELETE FROM copies WHERE info_hash = ?', infoHash)
    else {
      const { state, min, target, owner, access } = record
      const text = 'INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?)'
      this.#db.run(text, infoHash, state, min, target, owner, access)
    }
  }
}

function eventOf({ id, type, info_hash: infoHash, owner, access, at, data }: EventRow): EventRecord {
  return {
    id,
    type,
    ...(infoHash !== null && { infoHash }),
    owner,
    access: accessSchema.parse(access),
    at,
    data: dataSchema.parse(JSON.parse(data)),
  }
}

function copyOf({ info_hash: infoHash, state, min, target, owner, access }: CopyRow): CopyRecord {
  return { infoHash, state: stateSchema.parse(state), min, target, owner, access: accessSchema.parse(access) }
}
