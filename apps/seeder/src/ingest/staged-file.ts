import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

/** After how many bytes the disk is asked to begin, so that the final fsync finds little left to do. */
const syncEvery = 64 * 1024 * 1024

/** A staged file being written from start to end, one write at a time, in the order they were asked for. */
export class StagedFile {
  readonly #handle: FileHandle
  readonly #onError: (error: unknown) => void
  #writes: Promise<void> = Promise.resolve()
  #sync: Promise<void> = Promise.resolve()
  #syncing = false
  #end = 0
  #synced = 0

  static async create(path: string, onError: (error: unknown) => void): Promise<StagedFile> {
    return new StagedFile(await open(path, 'wx', 0o640), onError)
  }

  private constructor(handle: FileHandle, onError: (error: unknown) => void) {
    this.#handle = handle
    this.#onError = onError
  }

  /** Appends `bytes`, which nobody changes until `done`; that is called after a failure too. */
  append(bytes: Uint8Array, done: () => void): void {
    this.#writes = this.#writes
      .then(() => this.#write(bytes))
      .catch(this.#onError)
      .then(done)
  }

  /** Resolves once every byte is written. Durability is the commit's. */
  async close(): Promise<void> {
    await this.#writes
    await this.#sync
    await this.#handle.close()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, from, bytes.length - from, this.#end)
      from += bytesWritten
      this.#end += bytesWritten
    }
    if (this.#end - this.#synced >= syncEvery && !this.#syncing) this.#beginSync()
  }

  #beginSync(): void {
    this.#synced = this.#end
    this.#syncing = true
    this.#sync = this.#handle
      .datasync()
      .catch(this.#onError)
      .finally(() => (this.#syncing = false))
  }
}
