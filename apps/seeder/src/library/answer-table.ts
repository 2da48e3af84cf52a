import type { AnswerStore, KeptAnswer } from './answer-port.ts'
import type { Database } from './database.ts'

interface AnswerRow {
  id: Uint8Array
  request: Uint8Array
  box: Uint8Array
  expires_at: number
}

/** Answers are kept for a day or so; what a busy node cannot keep so long goes earlier. */
const mostBytes = 64 * 1024 * 1024
const mostAnswers = 100_000
const droppedAtOnce = 100

export class AnswerTable implements AnswerStore {
  readonly #db: Database
  readonly #most: { bytes: number; answers: number }

  constructor(db: Database, most = { bytes: mostBytes, answers: mostAnswers }) {
    this.#db = db
    this.#most = most
  }

  get(id: Uint8Array, now: number): KeptAnswer | undefined {
    const row = this.#db.row<AnswerRow>('SELECT * FROM answers WHERE id = ? AND expires_at > ?', id, now)
    return row && { id: row.id, request: row.request, box: row.box, expiresAt: row.expires_at }
  }

  async keep({ id, request, box, expiresAt }: KeptAnswer, now: number): Promise<void> {
    await this.#db.together(() => {
      this.#db.run(
        'DELETE FROM answers WHERE n IN (SELECT n FROM answers WHERE expires_at <= ? LIMIT ?)',
        now,
        droppedAtOnce,
      )
      this.#db.run(
        `INSERT INTO answers (id, request, box, expires_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET request = excluded.request, box = excluded.box, expires_at = excluded.expires_at
         WHERE answers.expires_at <= ?`,
        id,
        request,
        box,
        expiresAt,
        now,
      )
      while (this.#isOver()) this.#db.run('DELETE FROM answers WHERE n = (SELECT min(n) FROM answers)')
    })
  }

  #isOver(): boolean {
    const text = 'SELECT bytes, answers FROM answer_totals'
    const totals = this.#db.row<{ bytes: number; answers: number }>(text) ?? { bytes: 0, answers: 0 }
    return totals.bytes > this.#most.bytes || totals.answers > this.#most.answers
  }
}
