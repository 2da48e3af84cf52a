import type { Library } from '../../library/index.ts'

export interface AbsenceOptions {
  library: Pick<Library, 'storage'>
  /** Milliseconds after which what lies on a disk that is away counts as lost (`repair.grace`). */
  graceMs: number
  /** Milliseconds of a clock that nobody sets. */
  clock: () => number
}

/**
 * For how long the disk with the items has been away, counted from when it was first asked about. Until the grace time is
 * over this node goes on to say what it holds: the others should not copy it all because of a mount that is done anew.
 */
export class Absence {
  readonly #options: AbsenceOptions
  #since: number | undefined
  #wasLong = false

  constructor(options: AbsenceOptions) {
    this.#options = options
  }

  get isLong(): boolean {
    const { library, graceMs, clock } = this.#options
    if (library.storage().state === 'here') {
      this.#since = undefined
      return false
    }
    this.#since ??= clock()
    return clock() - this.#since >= graceMs
  }

  /** To be asked now and then. @returns whether the grace time ran out since it was last asked */
  ranOut(): boolean {
    const wasLong = this.#wasLong
    this.#wasLong = this.isLong
    return this.#wasLong && !wasLong
  }
}
