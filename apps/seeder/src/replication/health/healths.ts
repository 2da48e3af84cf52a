import type { Drain, Health, HealthQuery, HealthTotals, LevelChange, Standing } from './port.ts'

export interface HealthsOptions {
  now: () => number
  /** Has an item decided on anew, ahead of others. @returns false when nobody's manifest of it is live */
  repair(infoHash: string): boolean
  /** Told when this node began to drain, or does so no longer. */
  drained(): void
}

const nothing = { items: 0, bytes: 0 }

/** How the network's items stand, as the last pass left them. */
export class Healths implements Standing {
  readonly #options: HealthsOptions
  readonly #listeners = new Set<(change: LevelChange) => void>()
  #drainingSince: number | undefined

  constructor(options: HealthsOptions) {
    this.#options = options
  }

  health(_infoHash: string): Health | undefined {
    return undefined
  }

  healths(_query: HealthQuery): Health[] {
    return []
  }

  totals(): HealthTotals {
    const levels = {
      lost: nothing,
      'below-min': nothing,
      'below-target': nothing,
      'at-target': nothing,
      surplus: nothing,
    }
    return { ...nothing, at: 0, levels }
  }

  onLevel(listener: (change: LevelChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  repair(infoHash: string): boolean {
    return this.#options.repair(infoHash)
  }

  drain(): void {
    this.#drainingSince ??= this.#options.now()
    this.#options.drained()
  }

  undrain(): void {
    this.#drainingSince = undefined
    this.#options.drained()
  }

  draining(): Drain | undefined {
    const since = this.#drainingSince
    return since === undefined ? undefined : { since, held: nothing, left: nothing, done: false }
  }
}
