import type { Demand } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Library } from '../../library/index.ts'
import type { Serving } from './serving.ts'

export interface ReleaseOptions {
  library: Pick<Library, 'head' | 'remove' | 'storage'>
  serving: Pick<Serving, 'withdraw'>
  log: Logger
}

/** Gives copies up that the network has enough of: ends their serving and removes their bytes. */
export class Release {
  readonly #options: ReleaseOptions
  readonly #running = new Set<Promise<void>>()
  #items = 0
  #bytes = 0

  constructor(options: ReleaseOptions) {
    this.#options = options
  }

  /** Since start. */
  get done(): { items: number; bytes: number } {
    return { items: this.#items, bytes: this.#bytes }
  }

  go(demand: Demand): void {
    const work = this.#go(demand).catch((error: unknown) => {
      this.#options.log.error({ err: error, infoHash: demand.infoHash }, 'a surplus copy could not be removed')
    })
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  /** Resolves when nothing is being removed any more. */
  async close(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #go({ infoHash, size }: Demand): Promise<void> {
    const { library, serving, log } = this.#options
    if (library.storage().state !== 'here' || library.head(infoHash)?.state !== 'live') return
    await serving.withdraw(infoHash)
    await library.remove(infoHash)
    this.#items++
    this.#bytes += size
    log.info({ infoHash, size }, 'released a copy that the network has enough others of')
  }
}
