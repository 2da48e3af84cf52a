import type { Database } from './database.ts'
import type { JobRecord, JobStore } from './job-port.ts'

interface JobRow {
  info_hash: string
  lane: JobRecord['lane']
  added_at: number
  attempts: number
  not_before: number
  code: string | null
  detail: string | null
}

/** While the disk takes nothing, more changes are not kept: what they say is found again by comparing. */
const mostWaiting = 50_000
const longestDetail = 500

export class JobTable implements JobStore {
  readonly #db: Database
  /** By infohash; `undefined` is to be deleted. */
  readonly #waiting = new Map<string, JobRecord | undefined>()

  constructor(db: Database) {
    this.#db = db
  }

  all(): JobRecord[] {
    this.flush()
    return this.#db.rows<JobRow>('SELECT * FROM jobs ORDER BY info_hash').map(recordOf)
  }

  put(job: JobRecord): void {
    this.#note(job.infoHash, job)
  }

  delete(infoHash: string): void {
    this.#note(infoHash, undefined)
  }

  flush(most = Infinity): void {
    if (this.#waiting.size === 0) return
    const changes = [...this.#waiting].slice(0, most)
    this.#db.transact(() => {
      for (const [infoHash, job] of changes) this.#write(infoHash, job)
    })
    for (const [infoHash] of changes) this.#waiting.delete(infoHash)
  }

  drainingSince(): number | undefined {
    const row = this.#db.row<{ since: number | null }>('SELECT draining_since AS since FROM library')
    return row?.since ?? undefined
  }

  setDraining(since: number | undefined): void {
    this.#db.run('UPDATE library SET draining_since = ?', since ?? null)
  }

  #note(infoHash: string, job: JobRecord | undefined): void {
    if (this.#waiting.size < mostWaiting || this.#waiting.has(infoHash)) this.#waiting.set(infoHash, job)
  }

  #write(infoHash: string, job: JobRecord | undefined): void {
    if (job === undefined) return void this.#db.run('DELETE FROM jobs WHERE info_hash = ?', infoHash)
    this.#db.run(
      'INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)',
      infoHash,
      job.lane,
      job.addedAt,
      job.attempts,
      job.notBefore,
      job.reason?.code ?? null,
      job.reason?.detail.slice(0, longestDetail) ?? null,
    )
  }
}

function recordOf(row: JobRow): JobRecord {
  const { info_hash: infoHash, lane, added_at: addedAt, attempts, not_before: notBefore, code, detail } = row
  return {
    infoHash,
    lane,
    addedAt,
    attempts,
    notBefore,
    ...(code !== null && { reason: { code, detail: detail ?? '' } }),
  }
}
