import type { DescriptionStore } from './about-port.ts'
import type { Database } from './database.ts'

/** Items that wait to be described, in the order they came; with -1 tries those that wait for a tool first. */
export class DescriptionTable implements DescriptionStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  add(infoHash: string): void {
    this.#db.run('INSERT INTO descriptions (info_hash) VALUES (?) ON CONFLICT DO NOTHING', infoHash)
  }

  next(except: ReadonlySet<string>): { infoHash: string; tries: number } | undefined {
    return this.#db
      .rows<{ infoHash: string; tries: number }>(
        'SELECT info_hash AS infoHash, tries FROM descriptions WHERE tries >= 0 ORDER BY tries, n LIMIT ?',
        except.size + 1,
      )
      .find(({ infoHash }) => !except.has(infoHash))
  }

  has(infoHash: string): boolean {
    return this.#db.row('SELECT 1 FROM descriptions WHERE info_hash = ? AND tries >= 0', infoHash) !== undefined
  }

  tried(infoHash: string): void {
    this.#db.run('UPDATE descriptions SET tries = tries + 1 WHERE info_hash = ?', infoHash)
  }

  lack(infoHash: string): void {
    this.#db.run('UPDATE descriptions SET tries = -1 WHERE info_hash = ?', infoHash)
  }

  lacking(): boolean {
    return this.#db.row('SELECT 1 FROM descriptions WHERE tries < 0 LIMIT 1') !== undefined
  }

  resume(): void {
    this.#db.run('UPDATE descriptions SET tries = 0 WHERE tries < 0')
  }

  done(infoHash: string): void {
    this.#db.run('DELETE FROM descriptions WHERE info_hash = ?', infoHash)
  }
}
