import { Releases } from '@eldernode/core'
import type { Declined } from '../claims/declined.ts'
import type { HoldingsNotice } from '../claims/holdings-notice.ts'
import { Healths } from '../health/healths.ts'
import { Levels } from '../health/levels.ts'
import type { Transfers } from '../fetching/transfers.ts'
import type { Network } from '../members/network.ts'
import type { ReplicationOptions } from '../options.ts'
import { Admission } from './admission.ts'
import { BadCopies } from './bad-copies.ts'
import { Duties } from './duties.ts'
import type { Publications } from './publications.ts'
import { Release } from './release.ts'
import type { Serving } from './serving.ts'

export interface CareOptions extends Pick<
  ReplicationOptions,
  'library' | 'swarm' | 'turns' | 'policy' | 'released' | 'now' | 'log'
> {
  network: Pick<Network, 'view' | 'unproven' | 'ages'>
  publications: Publications
  transfers: Transfers
  notice: Pick<HoldingsNotice, 'stay' | 'release'>
  declined: Pick<Declined, 'bar' | 'isBarred' | 'barred' | 'retry'>
  serving: Serving
  clock: () => number
  /** Whether this node may act on what it sees of the network. */
  inStep(): boolean
  cancel(infoHash: string, why: string): Promise<void>
  touch(infoHash: string): void
  /** Whether something waits to be decided. */
  isBusy(): boolean
  /** Told when this node began to drain, or does so no longer. */
  drained(): void
}

/** Written at a tick, so that other work waits for milliseconds. */
const mostNotes = 2_000

/** What this node does about the copies of items, and how they stand. */
export class Care {
  readonly duties: Duties
  readonly healths: Healths
  readonly #options: CareOptions
  readonly #releases = new Releases()
  readonly #release: Release
  readonly #drop: Release
  readonly #bad: BadCopies
  readonly #admission: Admission

  constructor(options: CareOptions) {
    this.#options = options
    const { network, publications, transfers, notice, library, now } = options
    const levels = new Levels(now, (change) => this.healths.changed(change))
    this.#admission = new Admission({
      ...options,
      copied: () => levels.sum('copied').bytes + transfers.bytes,
      sizeOf: (infoHash) => publications.demands.get(infoHash)?.size,
    })
    this.#bad = new BadCopies(library)
    // How the item stands without it is noted at once, whatever else is being decided on.
    const after = {
      touch: (infoHash: string): void => {
        this.duties.note(infoHash)
        options.touch(infoHash)
      },
    }
    this.#release = new Release({
      ...options,
      ...after,
      goes: (infoHash) => this.duties.goes(infoHash),
      gone: (infoHash) => this.#releases.forget(infoHash),
    })
    this.#drop = new Release({
      ...options,
      ...after,
      // Nothing of it stood for a copy any more.
      released: () => {},
      goes: (infoHash) => library.condition(infoHash) === 'damaged' && this.duties.drops(infoHash),
      gone: () => {},
    })
    this.duties = new Duties({
      ...options,
      view: network.view,
      unproven: network.unproven,
      releases: this.#releases,
      levels,
      mayFetch: (infoHash) => this.#admission.admits(infoHash),
      review: (infoHash) => this.#admission.review(infoHash),
      mark: (infoHash) => notice.release(infoHash),
      unmark: (infoHash) => notice.stay(infoHash),
      // What lies on a disk that is away is said to be held for a while, and cannot be removed.
      release: (demand) => library.storage().state === 'here' && this.#release.go(demand),
      isBad: (infoHash) => this.#bad.has(infoHash),
      drop: (demand) => {
        this.#bad.leave(demand.infoHash)
        this.#drop.go(demand)
      },
    })
    this.healths = new Healths({
      ...options,
      duties: this.duties,
      view: network.view,
      demands: publications.demands,
      levels,
      ages: network.ages,
      transfers,
      jobs: library.jobs,
      // A copy that is hashed again counts as none until then, and may be one of the few there are.
      isUndecided: () => options.isBusy() || library.suspects().length > 0,
      repair: (infoHash) => {
        options.declined.retry(infoHash)
        options.touch(infoHash)
        // At once, so that the answer knows of a copy that the policy still does not want here.
        this.duties.look(infoHash, true)
        return publications.published(infoHash) !== undefined
      },
    })
  }

  /** The policy is another one: what the former one kept away is decided on anew, by the next pass. */
  reconsider(): void {
    this.#admission.reconsider()
  }

  /** Copies given up since start. */
  get released(): { items: number; bytes: number } {
    return this.#release.done
  }

  /** The condition of a copy here is another one. */
  changed(infoHash: string): void {
    this.#bad.see(infoHash)
  }

  /** Asks the catalog which copies are bad: at the start, and now and then for what could not be done about them. */
  recall(): void {
    this.#bad.recall()
  }

  look(infoHashes: readonly string[]): void {
    for (const infoHash of infoHashes) this.duties.look(infoHash)
  }

  /** The network was told that these copies are about to go. */
  told(infoHashes: readonly string[]): void {
    for (const infoHash of infoHashes) this.#releases.told(infoHash, this.#options.clock())
  }

  /** Does what became due by time alone. */
  tick(): void {
    const { publications, library, touch } = this.#options
    this.#safely('what became due could not be done', () => {
      this.duties.tick()
      for (const infoHash of publications.expired()) touch(infoHash)
      this.#admission.tick()
    })
    this.#safely('what is to be copied could not be noted', () => library.jobs.flush(mostNotes))
  }

  /** A full disk, say, must not end the node: what fails is done at the next tick. */
  #safely(failure: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#options.log.error({ err: error }, `${failure}; tried again soon`)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#release.close(), this.#drop.close()])
  }
}
