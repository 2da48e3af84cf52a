import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { syncPath } from './blobs.ts'

/** Whose blobs lie in a folder. `missing` when nothing says so, or nothing can be read. */
export type Mark = 'own' | 'missing' | 'foreign'

/** The file in the blobs folder that tells a library's disk from an empty mount point and from another's disk. */
export class Marker {
  readonly #folder: string
  readonly #path: string
  readonly #id: string

  constructor(folder: string, id: string) {
    this.#folder = folder
    this.#path = join(folder, 'library-id')
    this.#id = id
  }

  read(): Mark {
    try {
      return this.#markOf(readFileSync(this.#path, 'utf8'))
    } catch {
      return 'missing'
    }
  }

  /** `read` without blocking the loop. */
  async look(): Promise<Mark> {
    try {
      return this.#markOf(await readFile(this.#path, 'utf8'))
    } catch {
      return 'missing'
    }
  }

  /** Durable when it resolves. The folder must be there. */
  async write(): Promise<void> {
    const fresh = `${this.#path}.new`
    writeFileSync(fresh, `${this.#id}\n`, { mode: 0o640, flush: true })
    renameSync(fresh, this.#path)
    await syncPath(this.#folder)
  }

  #markOf(text: string): Mark {
    return text.trim() === this.#id ? 'own' : 'foreign'
  }
}
