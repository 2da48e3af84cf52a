import { DiskFullError } from '@eldernode/core'
import type { Item, JobStore, Library } from '../../library/index.ts'
import type { Swarm } from '../../swarm/index.ts'
import { NoRoomError, TransferError } from '../errors.ts'
import type { ReplicationOptions } from '../options.ts'
import { RepairRate } from './repair-rate.ts'
import type { Job } from './job.ts'
import { Transfers } from './transfers.ts'

export interface CopyingOptions extends Pick<ReplicationOptions, 'repair' | 'log' | 'now'> {
  /** On the disk that stores the items. */
  folder: string
  library: Pick<Library, 'get'> & { jobs: JobStore }
  swarm: Pick<Swarm, 'limitItem' | 'limits'>
  /** Brings an item here. @param came told of its bytes that came, also when it fails */
  fetch(job: Job, came: (bytes: number) => void, signal: AbortSignal): Promise<Item>
  /** Told when a transfer is over and has let go of the disk. */
  settled(infoHash: string): void
  /** Told when a queue that was full has room again. */
  drained(): void
  /** Leaves an item alone for a while. */
  decline(infoHash: string, forMs: number): void
  /** Told that there is less room than the others believe. */
  cramped(): void
  /** Items being mended: they take from `repair.concurrent` too. */
  mended(): number
  /** Told when a copy has ended. */
  freed(): void
  random: () => number
}

/** Of first copies at a time; and of those of them that are not small. */
const limits = { concurrency: 8, large: 3, maxQueued: 10_000 }

/** Makes copies: what waits and runs, what became of it, and the share of the line that repairs have. */
export class Copying {
  readonly transfers: Transfers
  readonly repairRate: RepairRate
  readonly #options: CopyingOptions
  #fetched = 0
  #fetchedBytes = 0

  constructor(options: CopyingOptions) {
    const { repair, swarm, library } = options
    this.#options = options
    this.repairRate = new RepairRate({ rate: repair.rate, swarm })
    this.transfers = new Transfers({
      ...options,
      ...limits,
      run: (job, signal) => this.#fetch(job, signal),
      failed: (job, reason, error) => this.#failed(job, reason, error),
      settled: ({ infoHash }) => options.settled(infoHash),
      repairing: (infoHashes) => this.repairRate.set(infoHashes, 'copying'),
      repairs: repair.concurrent,
      shared: { lane: 'repair', most: () => repair.concurrent - options.mended() },
      store: library.jobs,
      fault: (error) => options.log.error({ err: error }, 'what became of a copy could not be noted or told'),
    })
  }

  stats() {
    const { queued, running, failures } = this.transfers
    const [fetched, fetchedBytes] = [this.#fetched, this.#fetchedBytes]
    return { queued, running, fetched, fetchedBytes, failures: { ...failures } }
  }

  async #fetch(job: Job, signal: AbortSignal): Promise<void> {
    const { library, fetch, folder, log } = this.#options
    if (library.get(job.infoHash) !== undefined) return
    const began = performance.now()
    let came = 0
    try {
      const { infoHash, size } = await fetch(job, (bytes) => (came += bytes), signal)
      this.#fetched++
      this.#fetchedBytes += size
      log.info({ infoHash, size }, 'fetched, verified and stored an item')
    } catch (error) {
      throw asFullDisk(error, folder)
    } finally {
      const took = performance.now() - began
      if (this.repairRate.has(job.infoHash)) await this.repairRate.pay(came, took, signal)
    }
  }

  #failed({ infoHash }: Job, reason: string, error: unknown): void {
    const { log, decline, cramped } = this.#options
    log.warn({ err: error, infoHash, reason }, 'an item could not be fetched')
    // The next heartbeat tells all that there is less room than they believe, so that another node is chosen.
    if (error instanceof NoRoomError || error instanceof DiskFullError) cramped()
    const refuseForMs = error instanceof TransferError ? error.refuseForMs : undefined
    if (refuseForMs !== undefined) decline(infoHash, refuseForMs)
  }
}

/** A disk that became full amid a copy is said to be so, by whatever part of the copy found it. */
function asFullDisk(error: unknown, folder: string): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const found = DiskFullError.of(cause, folder)
    if (found instanceof DiskFullError) return found
  }
  return error
}
