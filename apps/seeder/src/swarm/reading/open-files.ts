import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { constants } from 'node:fs'

/** `write` makes a file that is not there, `mend` does not. */
export type OpenMode = 'read' | 'write' | 'mend'

interface Entry {
  handle: Promise<FileHandle>
  users: number
  /** Forgotten while in use: the last user closes it. */
  dropped: boolean
}

const flags = { read: constants.O_RDONLY, write: constants.O_RDWR | constants.O_CREAT, mend: constants.O_RDWR }
const modes: readonly OpenMode[] = ['read', 'write', 'mend']

/**
 * File handles opened when first needed and kept for the next use, at most `limit` idle ones: a node holds far more
 * files than it may have descriptors. The least recently used one is closed first. What could not be closed is no error
 * of whoever read or wrote another file, or this one before: what must last is synced.
 */
export class OpenFiles {
  readonly #entries = new Map<string, Entry>()
  #limit: number

  constructor(limit = 256) {
    this.#limit = limit
  }

  /** Applies at once, to handles that nobody uses. */
  async limit(limit: number): Promise<void> {
    this.#limit = limit
    await this.#trim()
  }

  /** Runs `work` with a handle that stays open until it settles. */
  async use<T>(path: string, mode: OpenMode, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const key = `${mode} ${path}`
    const entry = this.#entries.get(key) ?? { handle: open(path, flags[mode], 0o600), users: 0, dropped: false }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users++
    try {
      return await work(await entry.handle)
    } catch (error) {
      // A handle that failed to open, or that fails to read, is not offered to the next caller.
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      entry.dropped = true
      throw error
    } finally {
      entry.users--
      if (entry.dropped && entry.users === 0) await close(entry)
      else await this.#trim()
    }
  }

  /** Closes what is open of these paths, at once or when their present users are done. */
  async forget(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.flatMap((path) => modes.map((mode) => this.#drop(`${mode} ${path}`))))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((key) => this.#drop(key)))
  }

  get size(): number {
    return this.#entries.size
  }

  async #drop(key: string): Promise<void> {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    entry.dropped = true
    if (entry.users === 0) await close(entry)
  }

  async #trim(): Promise<void> {
    const surplus: string[] = []
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size - surplus.length <= this.#limit) break
      if (entry.users === 0) surplus.push(key)
    }
    await Promise.all(surplus.map((key) => this.#drop(key)))
  }
}

async function close(entry: Entry): Promise<void> {
  await entry.handle.then((handle) => handle.close()).catch(() => {})
}
