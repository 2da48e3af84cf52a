import type { ItemLimits, Swarm } from '../../swarm/index.ts'

export interface RepairRateOptions {
  /** Bytes per second of all repairs together; 0 is no limit. */
  rate: number
  swarm: Pick<Swarm, 'limitItem' | 'limits'>
}

/** Who repairs: whoever makes copies in place of lost ones, and whoever mends pieces that are wrong on disk. */
type Repairer = 'copying' | 'mending'

/** Shares the bytes per second that repairs may take among those that run, by limits of their items. */
export class RepairRate {
  readonly #options: RepairRateOptions
  readonly #by: Record<Repairer, readonly string[]> = { copying: [], mending: [] }
  #running: readonly string[] = []

  constructor(options: RepairRateOptions) {
    this.#options = options
  }

  /** The repairs of one kind that run now are these. */
  set(infoHashes: readonly string[], by: Repairer): void {
    const { rate, swarm } = this.#options
    this.#by[by] = infoHashes
    const running = [...new Set([...this.#by.copying, ...this.#by.mending])]
    const changed = new Set([...this.#running, ...running])
    this.#running = running
    if (rate > 0) for (const infoHash of changed) swarm.limitItem(infoHash)
  }

  /**
   * Waits until a repair's share of the rate makes up for its bytes. What comes at once, as a small item does, passes any
   * limit of its item: without this, many small repairs one after the other would be under none.
   * @param took milliseconds in which they came
   */
  async pay(bytes: number, took: number, signal: AbortSignal): Promise<void> {
    const { rate } = this.#options
    const owed = rate === 0 ? 0 : (bytes * 1000 * Math.max(1, this.#running.length)) / rate - took
    if (owed < 1 || signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, owed)
      signal.addEventListener('abort', end)
    })
  }

  /** Whether an item is being repaired. */
  has(infoHash: string): boolean {
    return this.#running.includes(infoHash)
  }

  /** The limits of an item that has such limits of its own. */
  limit(infoHash: string, own: ItemLimits): ItemLimits {
    const { rate, swarm } = this.#options
    if (rate === 0 || !this.has(infoHash)) return own
    const share = Math.max(1, Math.floor(rate / this.#running.length))
    const before = own.downloadLimit ?? swarm.limits().itemDownloadLimit
    return { ...own, downloadLimit: before === 0 ? share : Math.min(before, share) }
  }
}
