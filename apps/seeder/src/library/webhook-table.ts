import { z } from 'zod'
import type { Database } from './database.ts'
import type { Delivery, WebhookProgress, WebhookRecord, WebhookStore } from './event-port.ts'

interface WebhookRow {
  id: string
  owner: string
  everything: number
  url: string
  types: string
  label: string
  secret: string
  active: number
  created_at: number
  position: number
  delivered: number
  given_up: number
  last_at: number | null
  last_outcome: string | null
}

const typesSchema = z.array(z.string())

export class WebhookTable implements WebhookStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  all(): WebhookRecord[] {
    return this.#db.rows<WebhookRow>('SELECT * FROM webhooks ORDER BY created_at, id').map(webhookOf)
  }

  of(owner: string): WebhookRecord[] {
    const text = 'SELECT * FROM webhooks WHERE owner = ? ORDER BY created_at, id'
    return this.#db.rows<WebhookRow>(text, owner).map(webhookOf)
  }

  get(id: string): WebhookRecord | undefined {
    const row = this.#db.row<WebhookRow>('SELECT * FROM webhooks WHERE id = ?', id)
    return row && webhookOf(row)
  }

  put(webhook: WebhookRecord): void {
    this.#db.run(
      `INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET url = excluded.url, types = excluded.types, label = excluded.label, active = excluded.active,
         secret = excluded.secret, position = excluded.position`,
      webhook.id,
      webhook.owner,
      Number(webhook.everything),
      webhook.url,
      JSON.stringify(webhook.types),
      webhook.label,
      webhook.secret,
      Number(webhook.active),
      webhook.createdAt,
      webhook.position,
      webhook.delivered,
      webhook.givenUp,
      webhook.lastAt ?? null,
      webhook.lastOutcome ?? null,
    )
  }

  delete(id: string): boolean {
    return this.#db.run('DELETE FROM webhooks WHERE id = ?', id) > 0
  }

  deliveries(id: string, limit: number): Delivery[] {
    const text = `SELECT event, attempts, next_at AS nextAt FROM deliveries WHERE webhook = ?
      ORDER BY next_at, event LIMIT ?`
    return this.#db.rows<Delivery>(text, id, limit).map((row) => ({ ...row }))
  }

  pending(id: string): number {
    return this.#db.row<{ n: number }>('SELECT count(*) AS n FROM deliveries WHERE webhook = ?', id)?.n ?? 0
  }

  silence(id: string, position: number, lastOutcome: string): void {
    this.#db.transact(() => {
      this.#db.run(
        'UPDATE webhooks SET active = 0, position = max(position, ?), last_outcome = ? WHERE id = ?',
        position,
        lastOutcome,
        id,
      )
      this.#db.run('DELETE FROM deliveries WHERE webhook = ?', id)
    })
  }

  settle(id: string, progress: WebhookProgress): void {
    const { position, event, again, delivered = 0, givenUp = 0, lastAt, lastOutcome, active } = progress
    this.#db.transact(() => {
      const known = this.#db.run(
        `UPDATE webhooks SET position = max(position, ?), delivered = delivered + ?, given_up = given_up + ?,
           last_at = coalesce(?, last_at), last_outcome = coalesce(?, last_outcome), active = coalesce(?, active)
         WHERE id = ?`,
        position,
        delivered,
        givenUp,
        lastAt ?? null,
        lastOutcome ?? null,
        active === undefined ? null : Number(active),
        id,
      )
      if (known === 0 || event === undefined) return
      if (again === undefined) this.#db.run('DELETE FROM deliveries WHERE webhook = ? AND event = ?', id, event)
      else
        this.#db.run('INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?)', id, event, again.attempts, again.nextAt)
    })
  }
}

function webhookOf(row: WebhookRow): WebhookRecord {
  const { id, owner, url, label, secret, position, delivered } = row
  return {
    id,
    owner,
    everything: row.everything === 1,
    url,
    types: typesSchema.parse(JSON.parse(row.types)),
    label,
    secret,
    active: row.active === 1,
    createdAt: row.created_at,
    position,
    delivered,
    givenUp: row.given_up,
    ...(row.last_at !== null && { lastAt: row.last_at }),
    ...(row.last_outcome !== null && { lastOutcome: row.last_outcome }),
  }
}
