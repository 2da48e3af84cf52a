import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'

export interface SurveyOptions {
  library: Pick<Library, 'survey'>
  log: Logger
}

/** A start has better things to do. */
const firstStepMs = 20_000
const stepMs = 250
const blobsAtOnce = 12
/** The first round finds what happened while the node was down: 50 blobs a second. Later ones take their time. */
const laterRoundMs = 6 * 3_600_000

/**
 * Compares every blob's size, times and inode with the catalog, again and again, a few at a time, and sweeps what nothing
 * knows. Items that are asked for are compared then; this finds what nobody asks for.
 */
export class SurveyRounds {
  readonly #options: SurveyOptions
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined
  #closed = false
  #position = ''
  #steps = 0
  #pauseMs = stepMs
  #rounds = 0
  #failed = false

  constructor(options: SurveyOptions) {
    this.#options = options
  }

  /** Rounds done since the start. */
  get rounds(): number {
    return this.#rounds
  }

  start(): void {
    this.#plan(firstStepMs)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#work
  }

  #plan(wait: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#work = this.#step()
    }, wait)
  }

  /** The next step is planned when one is done: a busy disk has fewer of them. */
  async #step(): Promise<void> {
    try {
      this.#steps++
      const next = await this.#options.library.survey(this.#position, blobsAtOnce, (error) =>
        this.#say(error, 'a stored file or folder cannot be read, and was passed over'),
      )
      if (next === undefined) this.#endRound()
      else this.#position = next
    } catch (error) {
      this.#say(error, 'stored files could not be compared; tried again')
    }
    this.#plan(this.#pauseMs)
  }

  /** Once a round: a disk that answers no more would fill the log. */
  #say(error: unknown, what: string): void {
    if (!this.#failed) this.#options.log.error({ err: error }, what)
    this.#failed = true
  }

  #endRound(): void {
    this.#pauseMs = Math.max(stepMs, laterRoundMs / this.#steps)
    this.#position = ''
    this.#steps = 0
    this.#rounds++
    this.#failed = false
  }
}
