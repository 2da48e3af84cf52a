import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { decodePeers, encodePeers, type Swarms } from './swarm/index.ts'

/** The peers of a tracker over a restart. A file that is gone, damaged or cannot be written costs announces, never the start. */
export class SnapshotFile {
  readonly #path: string
  readonly #log: Logger

  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  /** @param oldest seconds since a peer's last announce */
  load(swarms: Swarms, oldest: number): void {
    try {
      const count = decodePeers(readFileSync(this.#path), swarms, Date.now(), oldest)
      if (count === undefined) this.#log.warn({ path: this.#path }, 'the file of peers is damaged and is not used')
      else this.#log.info({ path: this.#path, kept: swarms.peers, of: count }, 'peers from before the restart')
      // It is true once only.
      rmSync(this.#path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      if (error.code !== 'ENOENT') this.#log.warn({ err: error }, 'the file of peers cannot be read')
    }
  }

  save(swarms: Swarms): void {
    try {
      const partial = `${this.#path}.partial`
      const file = openSync(partial, 'w', 0o600)
      try {
        writeFileSync(file, encodePeers(swarms, Date.now()))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(partial, this.#path)
      const folder = openSync(dirname(this.#path), 'r')
      fsyncSync(folder)
      closeSync(folder)
      this.#log.info({ path: this.#path, peers: swarms.peers }, 'peers are kept for the next start')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      this.#log.error({ err: error }, 'the peers cannot be kept for the next start')
    }
  }
}
