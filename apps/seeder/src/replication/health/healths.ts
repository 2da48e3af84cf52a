import type { View } from '@eldernode/core'
import type { Duties } from '../deciding/duties.ts'
import type { Publications } from '../deciding/publications.ts'
import type { Transfers } from '../fetching/transfers.ts'
import type { JobStore } from '../../library/index.ts'
import type { Levels } from './levels.ts'
import type { Drain, Health, HealthQuery, HealthTotals, LevelChange, Standing } from './port.ts'
import type { ProofAges } from './proof-ages.ts'
import { whyOf } from './why.ts'

export interface HealthsOptions {
  duties: Pick<Duties, 'find' | 'passedAt'>
  view: Pick<View, 'live' | 'claimsOf' | 'isSuspected'>
  demands: Publications['demands']
  levels: Levels
  ages: Pick<ProofAges, 'oldest'>
  transfers: Pick<Transfers, 'view'>
  jobs: Pick<JobStore, 'drainingSince' | 'setDraining'>
  now: () => number
  /** Has an item decided on anew, ahead of others. @returns false when nobody's manifest of it is live */
  repair(infoHash: string): boolean
  /** Whether it is not known of every copy here what it is. */
  isUndecided(): boolean
  /** Told when this node began to drain, or does so no longer. */
  drained(): void
}

/** How the network's items stand, for people and their tools. */
export class Healths implements Standing {
  readonly #options: HealthsOptions
  readonly #listeners = new Set<(change: LevelChange) => void>()
  #drainingSince: number | undefined

  constructor(options: HealthsOptions) {
    this.#options = options
    this.#drainingSince = options.jobs.drainingSince()
  }

  get isDraining(): boolean {
    return this.#drainingSince !== undefined
  }

  health(infoHash: string): Health | undefined {
    const { duties, transfers, view } = this.#options
    const found = duties.find(infoHash)
    if (found === undefined) return undefined
    const job = transfers.view(infoHash)
    return { ...found, why: whyOf(found.demand, found.assessment, view, job), ...(job && { job }) }
  }

  healths({ level, stuck = false, after = '', limit }: HealthQuery): Health[] {
    const { demands, levels } = this.#options
    let page: string[] = []
    const cut = (): string[] => page.toSorted().slice(0, limit)
    for (const { infoHash } of demands) {
      if (infoHash <= after || (level !== undefined && levels.get(infoHash) !== level)) continue
      if (stuck && !levels.isStuck(infoHash)) continue
      page.push(infoHash)
      if (page.length > 4 * limit + 1000) page = cut()
    }
    return cut().flatMap((infoHash) => this.health(infoHash) ?? [])
  }

  totals(): HealthTotals {
    const { levels, duties, ages } = this.#options
    const oldestProof = ages.oldest()
    return { ...levels.totals(), at: duties.passedAt, ...(oldestProof !== undefined && { oldestProof }) }
  }

  onLevel(listener: (change: LevelChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** To be told of each change of a level. */
  changed(change: LevelChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  repair(infoHash: string): boolean {
    return this.#options.repair(infoHash)
  }

  drain(): void {
    if (this.#drainingSince !== undefined) return
    const { jobs, now, drained } = this.#options
    const since = now()
    jobs.setDraining(since)
    this.#drainingSince = since
    drained()
  }

  undrain(): void {
    if (this.#drainingSince === undefined) return
    this.#options.jobs.setDraining(undefined)
    this.#drainingSince = undefined
    this.#options.drained()
  }

  draining(): Drain | undefined {
    const { levels, duties, isUndecided } = this.#options
    const since = this.#drainingSince
    if (since === undefined) return undefined
    const [held, left] = [levels.sum('held'), levels.sum('needed')]
    const isKnown = duties.passedAt > since
    const done = left.items === 0 && !isUndecided() && (isKnown || this.#isUpToDate())
    // Who else is wanted, now that this node is not, a pass tells.
    return isKnown || done ? { since, held, left, stuck: levels.sum('stuck'), done } : { since, held, done }
  }

  /** Whether what an earlier pass noted still holds: all that others say is noted as it comes, their silence is not. */
  #isUpToDate(): boolean {
    const { duties, view } = this.#options
    return duties.passedAt > 0 && !view.live.some(({ id }) => view.isSuspected(id))
  }
}
