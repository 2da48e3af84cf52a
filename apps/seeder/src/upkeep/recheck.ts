import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'

export interface RecheckOptions {
  library: Pick<Library, 'suspects' | 'verify' | 'condition' | 'onCondition' | 'storage'>
  /** Told of each item whose bytes were found changed, lost, right or wrong, and whether it is held. */
  checked(infoHash: string, held: boolean): void
  log: Logger
}

/** The catalog is asked for suspects that nobody told of, or that could not be hashed. */
const lookEveryMs = 30_000

/**
 * Hashes items again whose blobs may have changed, one after the other: those that were found or asked for just now
 * before those that have waited since the start.
 */
export class Recheck {
  readonly #options: RecheckOptions
  readonly #abort = new AbortController()
  /** Found or asked for lately, and not hashed since. */
  readonly #urgent = new Set<string>()
  #ends: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined

  constructor(options: RecheckOptions) {
    this.#options = options
  }

  start(): void {
    this.#ends ??= this.#options.library.onCondition((infoHash) => this.#learn(infoHash))
    this.#timer ??= setInterval(() => this.look(), lookEveryMs)
    this.look()
  }

  async close(): Promise<void> {
    this.#ends?.()
    clearInterval(this.#timer)
    this.#abort.abort()
    await this.#work
  }

  /** Begins with what waits, unless it is at it already. */
  look(): void {
    if (this.#abort.signal.aborted) return
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      if (this.#urgent.size > 0 && this.#isHere) this.look()
    })
  }

  get #isHere(): boolean {
    return this.#options.library.storage().state === 'here'
  }

  #learn(infoHash: string): void {
    const { library, checked, log } = this.#options
    const condition = library.condition(infoHash)
    if (condition === 'damaged') log.error({ infoHash }, 'bytes on disk are lost or wrong: to be fetched again')
    checked(infoHash, condition === 'held')
    if (condition !== 'suspect') return
    this.#urgent.add(infoHash)
    this.look()
  }

  /** None when the catalog cannot be read now: the next look asks again. */
  #suspects(): string[] {
    try {
      return this.#options.library.suspects()
    } catch (error) {
      this.#options.log.error({ err: error }, 'the catalog could not be asked for changed blobs; tried again in 30 s')
      return []
    }
  }

  async #run(): Promise<void> {
    // Told of a suspect from within a change, its listeners may not be done with it.
    await Promise.resolve()
    await this.#hashUrgent()
    for (const infoHash of this.#suspects()) {
      if (this.#abort.signal.aborted || !this.#isHere) return
      // It may have been hashed, mended or removed while others were.
      if (this.#options.library.condition(infoHash) === 'suspect') await this.#hash(infoHash)
      await this.#hashUrgent()
    }
  }

  async #hashUrgent(): Promise<void> {
    for (const infoHash of this.#urgent) {
      if (this.#abort.signal.aborted || !this.#isHere) return
      this.#urgent.delete(infoHash)
      if (this.#options.library.condition(infoHash) === 'suspect') await this.#hash(infoHash)
    }
  }

  async #hash(infoHash: string): Promise<void> {
    const { library, log } = this.#options
    const { signal } = this.#abort
    try {
      await library.verify(infoHash, { signal })
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, infoHash }, 'a changed blob could not be hashed again')
    }
  }
}
