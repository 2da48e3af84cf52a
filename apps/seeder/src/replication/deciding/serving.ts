import type { HoldingsNotice } from '../claims/holdings-notice.ts'
import type { Swarm } from '../../swarm/index.ts'

export interface ServingOptions {
  swarm: Pick<Swarm, 'has' | 'seed' | 'remove'>
  holdings: Pick<HoldingsNotice, 'keep' | 'drop' | 'holds' | 'held'>
  /** Ends a transfer of the item that still runs: the bytes came another way, by an upload. */
  cancelTransfer(infoHash: string): Promise<void>
  /** Whether the operator paused the item: it stays held, and is not seeded. */
  isPaused(infoHash: string): boolean
  /** Has the bad pieces of an item fetched again. */
  mend(infoHash: string): void
}

/** What this node offers to others: in the swarm, and by name in its holdings. */
export class Serving {
  readonly #options: ServingOptions

  constructor(options: ServingOptions) {
    this.#options = options
  }

  /** Whether an item is seeded and said to be held, so that `offer` would change nothing. */
  offers(infoHash: string): boolean {
    return this.#options.swarm.has(infoHash) && this.#options.holdings.holds(infoHash)
  }

  /** What others were told to find here, in infohash order. */
  offered(): Iterable<string> {
    return this.#options.holdings.held()
  }

  /** Seeds a held item and says so. Costs next to nothing when it is done already. */
  async offer(infoHash: string): Promise<void> {
    await this.#seed(infoHash)
    this.#options.holdings.keep(infoHash)
  }

  /** Seeds an item some of whose pieces are bad here, and has them mended; nobody is told that it is held. */
  async offerInPart(infoHash: string): Promise<void> {
    this.#options.holdings.drop(infoHash)
    await this.#seed(infoHash)
    this.#options.mend(infoHash)
  }

  /** Ends the serving of an item; its bytes stay until they are purged. */
  async withdraw(infoHash: string): Promise<void> {
    const { swarm, holdings } = this.#options
    holdings.drop(infoHash)
    await swarm.remove(infoHash)
  }

  /** Ends the seeding of an item whose disk is away for a moment; what was said of it stays said. */
  async suspend(infoHash: string): Promise<void> {
    await this.#options.swarm.remove(infoHash)
  }

  /** Ends the serving of an item that the library holds no longer. A transfer of it is left alone. */
  async forget(infoHash: string): Promise<void> {
    const { swarm, holdings } = this.#options
    if (swarm.has(infoHash) || holdings.holds(infoHash)) await this.withdraw(infoHash)
  }

  async #seed(infoHash: string): Promise<void> {
    const { swarm, cancelTransfer, isPaused } = this.#options
    const seeded = swarm.has(infoHash)
    if (isPaused(infoHash)) return seeded ? swarm.remove(infoHash) : undefined
    if (seeded) return
    await cancelTransfer(infoHash)
    if (!isPaused(infoHash)) swarm.seed(infoHash)
  }
}
