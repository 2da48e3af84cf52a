import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'

export interface RecheckOptions {
  library: Pick<Library, 'suspects' | 'verify'>
  /** Told of each item that was hashed again, and whether it is held. */
  checked(infoHash: string, held: boolean): void
  log: Logger
}

/** Hashes the items again whose blobs were found changed when the library opened, one after the other. */
export class Recheck {
  readonly #options: RecheckOptions
  readonly #abort = new AbortController()
  #work: Promise<void> | undefined

  constructor(options: RecheckOptions) {
    this.#options = options
  }

  start(): void {
    this.#work ??= this.#run()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#work
  }

  async #run(): Promise<void> {
    const { library, checked, log } = this.#options
    const { signal } = this.#abort
    for (const infoHash of library.suspects()) {
      if (signal.aborted) return
      try {
        const held = await library.verify(infoHash, { signal })
        if (!held) log.error({ infoHash }, 'bytes on disk are damaged: moved to quarantine, to be fetched again')
        checked(infoHash, held)
      } catch (error) {
        if (!signal.aborted) log.error({ err: error, infoHash }, 'a changed blob could not be hashed again')
      }
    }
  }
}
