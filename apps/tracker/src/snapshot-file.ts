import { EldernodeError } from '@eldernode/core'
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { decodePeers, encodePeers, type Swarms } from './swarm/index.ts'

/** Peers cannot be kept where `snapshot` says. */
export class SnapshotError extends EldernodeError {
  constructor(path: string, problem: string) {
    super('snapshot', `snapshot: ${path} ${problem}. Correct the setting, or move away what stands there.`)
  }
}

/** With which every file of peers begins, whatever its version. */
const mark = Buffer.from('eldernode tracker peers ')

/**
 * The peers of a tracker over a restart, in a file for each process that it had: whoever starts next reads all of them. A
 * file that is damaged or cannot be written costs announces, never the start; one that is none of this program's is neither
 * removed nor replaced.
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

  /** @throws SnapshotError when no file of peers could be written, or another file stands in its place */
  check(): void {
    const folder = dirname(this.#path)
    try {
      accessSync(folder, constants.W_OK | constants.X_OK)
    } catch (error) {
      throw new SnapshotError(this.#path, `cannot be made: its folder ${problemOf(error)}`)
    }
    for (const path of [this.#path, this.#own, `${this.#own}.partial`]) refuseForeign(path)
  }

  /**
   * @param oldest seconds since a peer's last announce
   * @param isOwn whether this process keeps a torrent
   */
  load(swarms: Swarms, oldest: number, isOwn?: (infoHash: Int32Array) => boolean): void {
    for (const path of this.#files()) {
      try {
        const before = swarms.peers
        const count = decodePeers(readFileSync(path), swarms, Date.now(), oldest, isOwn)
        if (count === undefined) this.#log.warn({ path }, 'the file of peers is damaged and is not used')
        else this.#log.info({ path, kept: swarms.peers - before, of: count }, 'peers from before the restart')
      } catch (error) {
        this.#failed(error, 'the file of peers cannot be read')
      }
    }
  }

  /** Removes what `load` read, for it is true once only. */
  discard(): void {
    for (const path of this.#files()) {
      try {
        if (isOfPeers(path)) rmSync(path)
      } catch (error) {
        this.#failed(error, 'the file of peers cannot be removed')
      }
    }
  }

  save(swarms: Swarms): void {
    try {
      const partial = `${this.#own}.partial`
      for (const path of [this.#own, partial]) refuseForeign(path)
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
      this.#log.error({ path: this.#own, reason: error.message }, 'the peers cannot be kept for the next start')
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
    if (error.code !== 'ENOENT') this.#log.warn({ reason: error.message }, message)
  }
}

/** @throws SnapshotError when a file stands there that this program did not write */
const refuseForeign = (path: string): void => {
  let isOurs: boolean
  try {
    isOurs = isOfPeers(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw new SnapshotError(path, problemOf(error))
  }
  if (!isOurs) throw new SnapshotError(path, 'is no file of peers, and is not replaced by one')
}

/** Throws what the file system says, also that there is none. */
const isOfPeers = (path: string): boolean => {
  if (!lstatSync(path).isFile()) return false
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(mark.length)
    const length = readSync(file, head, 0, head.length, 0)
    // Of a write that was cut short at its very beginning nothing may be there.
    return length === 0 ? path.endsWith('.partial') : head.equals(mark)
  } finally {
    closeSync(file)
  }
}

const problemOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'is not there'
  if (code === 'ENOTDIR') return 'is no folder'
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return 'may not be written by this user'
  return `cannot be used (${String(code ?? error)})`
}
