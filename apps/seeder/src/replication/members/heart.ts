import { ClockError, NotMemberError, type Graph, type Heartbeat } from '@eldernode/core'
import type { Logger } from 'pino'

export interface HeartOptions {
  graph: Pick<Graph, 'publish'>
  /** This node's state at the moment of asking. */
  pulse(): Promise<Heartbeat>
  log: Logger
}

const beatMs = 15_000
/** However many members appear at once, this node answers them no more often. */
const answerMs = 2_000

/** Publishes this node's heartbeat: at once, every 15 s, and soon after a member was first heard from. */
export class Heart {
  readonly #options: HeartOptions
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #last = -Infinity
  #due = Infinity
  #closed = false
  #clockBehind = false

  constructor(options: HeartOptions) {
    this.#options = options
  }

  /** Whether the last beat failed because this machine's clock lies behind what this node signed before. */
  get clockBehind(): boolean {
    return this.#clockBehind
  }

  async start(): Promise<void> {
    await this.#beat()
  }

  /**
   * Heartbeats are kept in memory only, so a member that appears has none of this node yet; without an answer it would
   * take itself for the only live member until the next beat.
   */
  answer(): void {
    this.#plan(Math.max(performance.now(), this.#last + answerMs))
  }

  /** Ends the timer and waits for a beat that is being published. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#beating
  }

  #plan(at: number): void {
    if (this.#closed || at >= this.#due) return
    clearTimeout(this.#timer)
    this.#due = at
    this.#timer = setTimeout(() => void this.#beat(), Math.max(0, at - performance.now()))
  }

  #beat(): Promise<void> {
    this.#last = performance.now()
    this.#due = Infinity
    this.#plan(this.#last + beatMs)
    this.#beating = this.#publish()
    return this.#beating
  }

  /** A beat that fails (a clock that jumped, a full disk) is reported; the next one may succeed. */
  async #publish(): Promise<void> {
    try {
      await this.#options.graph.publish('hb', 'hb', await this.#options.pulse())
      this.#clockBehind = false
    } catch (error) {
      this.#clockBehind = error instanceof ClockError
      if (error instanceof NotMemberError)
        this.#options.log.info('no member, not admitted yet or revoked: the network hears nothing of this node')
      else this.#options.log.error({ err: error }, 'the heartbeat could not be published; the next is tried in 15 s')
    }
  }
}
