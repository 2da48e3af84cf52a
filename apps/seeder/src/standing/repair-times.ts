/** How an item stands, from worst to best. */
type Level = 'lost' | 'below-min' | 'below-target' | 'at-target' | 'surplus'

/** An item stands otherwise than before; `undefined` when it was not known. Times in milliseconds since 1970. */
export interface Change {
  infoHash: string
  before: Level | undefined
  after: Level | undefined
  at: number
}

/** `new`: until an item had its copies for the first time; `repair`: until it had them again. */
export type RepairKind = 'new' | 'repair'

export interface RepairSums {
  count: number
  /** Of the last one; absent before the first. */
  lastSeconds?: number
  meanSeconds?: number
}

const isWhole = (level: Level | undefined): boolean => level === 'at-target' || level === 'surplus'

/** How long items are below their target. It remembers only those that are. */
export class RepairTimes {
  readonly #since = new Map<string, { kind: RepairKind; at: number }>()
  readonly #told: (kind: RepairKind, seconds: number) => void
  #sum = 0
  #count = 0
  #last: number | undefined

  /** @param told of each item that is at its target (again) */
  constructor(told: (kind: RepairKind, seconds: number) => void) {
    this.#told = told
  }

  see({ infoHash, before, after, at }: Change): void {
    const known = this.#since.get(infoHash)
    // Taken down, or found whole.
    if (after === undefined || (isWhole(after) && known === undefined)) {
      this.#since.delete(infoHash)
    } else if (!isWhole(after)) {
      if (known === undefined) this.#since.set(infoHash, { kind: before === undefined ? 'new' : 'repair', at })
    } else if (known !== undefined) {
      this.#since.delete(infoHash)
      this.#finish(known.kind, Math.max(0, at - known.at) / 1000)
    }
  }

  /** Of repairs alone. */
  sums(): RepairSums {
    if (this.#last === undefined) return { count: 0 }
    return { count: this.#count, lastSeconds: this.#last, meanSeconds: this.#sum / this.#count }
  }

  #finish(kind: RepairKind, seconds: number): void {
    this.#told(kind, seconds)
    if (kind === 'new') return
    this.#count++
    this.#sum += seconds
    this.#last = seconds
  }
}
