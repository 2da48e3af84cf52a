import type { Database } from './database.ts'
import { packTimes, unpackTimes } from './pieces.ts'

/** As many awake items as are written in one transaction. */
const mostWaiting = 64
/** Those that are kept while the catalog cannot be written: what is lost then is when they were verified. */
const mostUnwritten = 256

/** When the pieces of items were verified one by one. */
export class PieceTable {
  readonly #db: Database
  readonly #waiting = new Map<string, Uint8Array>()

  constructor(db: Database) {
    this.#db = db
  }

  /** Seconds since 1970 for each of `count` pieces, 0 where nothing is known. */
  get(infoHash: string, count: number): Uint32Array {
    const text = 'SELECT verified_at AS bytes FROM piece_times WHERE info_hash = ?'
    const bytes = this.#waiting.get(infoHash) ?? this.#db.row<{ bytes: Uint8Array }>(text, infoHash)?.bytes
    return unpackTimes(bytes, count)
  }

  /** Notes later times. They are kept in memory until there is enough to be worth a write. */
  set(infoHash: string, verifiedAt: Uint32Array): void {
    const known = this.get(infoHash, verifiedAt.length)
    this.#waiting.set(infoHash, packTimes(verifiedAt.map((at, piece) => Math.max(at, known[piece] ?? 0))))
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size > mostUnwritten && oldest !== undefined) this.#waiting.delete(oldest)
    if (this.#waiting.size >= mostWaiting) this.flush()
  }

  /** Writes what is kept in memory. */
  flush(): void {
    if (this.#waiting.size === 0) return
    this.#db.transact(() => {
      for (const [infoHash, bytes] of this.#waiting)
        this.#db.run(
          `INSERT INTO piece_times SELECT info_hash, ? FROM items WHERE info_hash = ?
           ON CONFLICT DO UPDATE SET verified_at = excluded.verified_at`,
          bytes,
          infoHash,
        )
    })
    this.#waiting.clear()
  }
}
