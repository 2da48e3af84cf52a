import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder of blobs whose bytes were found wrong: what of them is right need not be fetched again. */
export class Quarantine {
  readonly folder: string
  #bytes = 0

  constructor(folder: string) {
    this.folder = folder
  }

  /** What lies there, as far as it was counted. */
  get bytes(): number {
    return this.#bytes
  }

  path(sha256: string): string {
    return join(this.folder, sha256)
  }

  /** So many bytes were moved there. */
  took(bytes: number): void {
    this.#bytes += bytes
  }

  /** Removes one blob's bytes, if there are any. */
  async drop(sha256: string): Promise<void> {
    const path = this.path(sha256)
    const found = await lstat(path).catch(() => undefined)
    if (found === undefined) return
    await rm(path, { recursive: true, force: true })
    this.#bytes = Math.max(0, this.#bytes - found.size)
  }

  /** Removes what came there, or was changed there, before that time (milliseconds since 1970), and counts the rest. */
  async sweep(before: number): Promise<void> {
    let bytes = 0
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name)
      const { ctimeMs, size } = await lstat(path)
      if (ctimeMs < before) await rm(path, { recursive: true, force: true })
      else bytes += size
    }
    this.#bytes = bytes
  }
}
