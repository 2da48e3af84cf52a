import type { Logger } from 'pino'
import type { Library, StorageState } from '../library/index.ts'

export interface StorageWatchOptions {
  library: Pick<Library, 'look' | 'settle' | 'alive' | 'storage' | 'onStorage'>
  /** Told when the storage folder went away or came back. */
  storageChanged(state: StorageState): void
  log: Logger
}

const lookEveryMs = 3_000
const aliveEveryMs = 60_000

/** Notices when the storage folder goes away or comes back, and gives the library's signs of life. */
export class StorageWatch {
  readonly #options: StorageWatchOptions
  readonly #timers: NodeJS.Timeout[] = []
  #ends: (() => void) | undefined
  #work: Promise<void> | undefined

  constructor(options: StorageWatchOptions) {
    this.#options = options
  }

  start(): void {
    const { library } = this.#options
    this.#say(library.storage().state, false)
    this.#ends = library.onStorage((state) => {
      this.#say(state, true)
      this.#options.storageChanged(state)
    })
    this.#timers.push(
      setInterval(() => this.#look(), lookEveryMs),
      setInterval(() => this.#sign(), aliveEveryMs),
    )
  }

  async close(): Promise<void> {
    this.#ends?.()
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    await this.#work
  }

  /** A disk that hangs is asked once, not every few seconds. */
  #look(): void {
    this.#work ??= this.#options.library
      .look()
      .then(() => this.#options.library.settle())
      .catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'the storage folder could not be made ready; tried again in 3 s')
      })
      .finally(() => {
        this.#work = undefined
      })
  }

  #sign(): void {
    try {
      this.#options.library.alive()
    } catch (error) {
      this.#options.log.error({ err: error }, 'the catalog could not be written; tried again in a minute')
    }
  }

  #say(state: StorageState, changed: boolean): void {
    const { log, library } = this.#options
    const { folder } = library.storage()
    if (state === 'here') {
      if (changed) log.info({ folder }, 'the storage folder is back: its items are served again')
    } else if (state === 'missing') {
      log.error({ folder }, 'the storage folder has no blobs/library-id: is its disk mounted? Its items are suspended')
    } else {
      log.error({ folder }, 'the storage folder is that of another library: its items are suspended')
    }
  }
}
