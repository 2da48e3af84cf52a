import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'

export interface RecheckOptions {
  library: Pick<Library, 'suspects' | 'verify'>
  /** Told of each item that was hashed again, and whether it is held. */
  checked(infoHash: string, held: boolean): void
  log: Logger
}

/** Serving compares size and time of a blob each time, so new suspects turn up between two looks. */
const lookEveryMs = 30_000

/** Hashes items again whose blobs were found changed on disk, one after the other. */
export class Recheck {
  readonly #options: RecheckOptions
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined

  constructor(options: RecheckOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs)
    this.#look()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#abort.abort()
    await this.#work
  }

  #look(): void {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
    })
  }

  /** None when the catalog cannot be read now: the next look asks again. */
  #suspects(): string[] {
    try {
      return this.#options.library.suspects()
    } catch (error) {
      this.#options.log.error({ err: error }, 'the catalog could not be asked for changed blobs; tried again in 30 s')
      return []
    }
  }

  async #run(): Promise<void> {
    const { library, checked, log } = this.#options
    const { signal } = this.#abort
    for (const infoHash of this.#suspects()) {
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
