import type { Declined } from './claims/declined.ts'
import type { Duties } from './deciding/duties.ts'
import { Mending } from './deciding/mending.ts'
import type { Publications } from './deciding/publications.ts'
import { Copying } from './fetching/copying.ts'
import { createFetching } from './fetching/fetching.ts'
import type { Holders } from './fetching/holders.ts'
import type { ItemFetcher } from './fetching/item-fetcher.ts'
import { searchLimits, stallLimits } from './fetching/stall.ts'
import type { Transfers } from './fetching/transfers.ts'
import type { ReplicationOptions } from './options.ts'
import { Reads } from './reading/reads.ts'

export interface IntakeOptions extends ReplicationOptions {
  holders: Holders
  publications: Pick<Publications, 'published' | 'signers'>
  declined: Pick<Declined, 'add' | 'has'>
  /** Whether somebody else is proven to have the item, whole. */
  isElsewhere: Duties['isElsewhere']
  /** Told when a transfer is over and has let go of the disk. */
  settled(infoHash: string): void
  /** Told when a queue that was full has room again. */
  drained(): void
  /** Told that there is less room than the others believe. */
  cramped(): void
}

/** What is on its way here: copies, what readers ask for, and pieces in place of wrong ones. */
export class Intake {
  readonly copying: Copying
  readonly mending: Mending
  readonly reads: Reads

  constructor(options: IntakeOptions) {
    const { holders, publications, declined, room, repair } = options
    const random = Math.random
    this.reads = new Reads({
      ...options,
      begin: (...item) => fetcher.begin(...item),
      published: (infoHash) => publications.published(infoHash),
      refuses: (infoHash) => declined.has(infoHash),
    })
    const fetcher: ItemFetcher = createFetching({
      ...options,
      arrivals: this.reads.arrivals,
      signers: (infoHash) => publications.signers(infoHash),
    })
    this.copying = new Copying({
      ...options,
      random,
      folder: room.folder,
      fetch: (...about) => fetcher.fetch(...about),
      decline: (infoHash, forMs) => declined.add(infoHash, forMs),
      mended: () => this.mending.running,
      freed: () => this.mending.look(),
    })
    const { transfers, repairRate } = this.copying
    this.mending = new Mending({
      ...options,
      random,
      sources: (...item) => holders.anyone(...item),
      limits: stallLimits,
      search: searchLimits,
      most: () => repair.concurrent - transfers.repairs,
      freed: () => transfers.look(),
      mending: (infoHashes) => repairRate.set(infoHashes, 'mending'),
      pay: (...about) => repairRate.pay(...about),
    })
  }

  /** Copies that wait or run. */
  get transfers(): Transfers {
    return this.copying.transfers
  }

  /** Ends what is fetched of an item, for a copy and for readers alike. */
  async cancel(infoHash: string, why: string): Promise<void> {
    await this.transfers.cancel(infoHash, why)
    await this.reads.arrivals.end(infoHash, why)
  }

  async close(): Promise<void> {
    await Promise.all([this.transfers.close(), this.mending.close()])
    await this.reads.close()
  }
}
