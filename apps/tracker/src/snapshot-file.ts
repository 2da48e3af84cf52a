import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { decodePeers, encodePeers, type Swarms } from './swarm/index.ts'

/**
 * The peers of a tracker over a restart, in a file for each process that it had: whoever starts next reads all of them. A
 * file that is damaged or cannot be written costs announces, never the start.
 */
export class SnapshotFiles {
  readonly #path: string
  readonly #log: Logger
  readonly #own: string

  /** @param shard of one process among several, each of which writes its own file */
  constructor(path: string, log: Logger, shard?: number) {
    this.#path = path
    this.#log = log
    this.#own = shard === undefined ? path : `${path}.${shard}`
  }

  /**
   * @param oldest seconds since a peer's last announce
   * @param isOwn whether this process keeps a torrent
   */
  load(swarms: Swarms, oldest: number, isOwn?: (infoHash: Int32Array) => boolean): void {
    for (const path of this.#files()) {
      try {
        const count = decodePeers(readFileSync(path), swarms, Date.now(), oldest, isOwn)
        if (count === undefined) this.#log.warn({ path }, 'the file of peers is damaged and is not used')
        else this.#log.info({ path, kept: swarms.peers, of: count }, 'peers from before the restart')
      } catch (error) {
        this.#failed(error, 'the file of peers cannot be read')
      }
    }
  }

  /** Removes what `load` read, for it is true once only. */
  discard(): void {
    for (const path of this.#files()) {
      try {
        rmSync(path)
      } catch (error) {
        this.#failed(error, 'the file of peers cannot be removed')
      }
    }
  }

  save(swarms: Swarms): void {
    try {
      const partial = `${this.#own}.partial`
      const file = openSync(partial, 'w', 0o600)
      try {
        writeFileSync(file, encodePeers(swarms, Date.now()))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(partial, this.#own)
      const folder = openSync(dirname(this.#path), 'r')
      fsyncSync(folder)
      closeSync(folder)
      this.#log.info({ path: this.#own, peers: swarms.peers }, 'peers are kept for the next start')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      this.#log.error({ err: error }, 'the peers cannot be kept for the next start')
    }
  }

  #files(): string[] {
    const name = basename(this.#path)
    const isOne = (file: string): boolean =>
      file === name || (file.startsWith(`${name}.`) && /^\d+$/.test(file.slice(name.length + 1)))
    try {
      return readdirSync(dirname(this.#path))
        .filter(isOne)
        .map((file) => join(dirname(this.#path), file))
    } catch (error) {
      this.#failed(error, 'the files of peers cannot be found')
      return []
    }
  }

  #failed(error: unknown, message: string): void {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code !== 'ENOENT') this.#log.warn({ err: error }, message)
  }
}
