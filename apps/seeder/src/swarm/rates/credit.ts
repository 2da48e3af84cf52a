import type { Turn, TurnOf } from './turn.ts'

/** What one connection may move now, taken from a turn in larger parts than it is used up. */
export class Credit {
  readonly #turn: Turn
  #bytes = 0
  #awaited = 0

  /** @param turnOf makes the turn; @param go told when there is credit again */
  constructor(turnOf: TurnOf, go: () => void) {
    this.#turn = turnOf(() => {
      this.#bytes += this.#awaited
      this.#awaited = 0
      go()
    })
  }

  /**
   * Bytes that may move now: infinite while there is no limit, 0 when `least` may not, in which case `go` is called
   * later. @param wanted all that could be moved
   */
  have(least: number, wanted: number): number {
    const { most } = this.#turn
    if (most === Infinity) return Infinity
    if (this.#bytes >= least) return this.#bytes
    if (this.#awaited > 0) return 0
    const bytes = Math.max(least, Math.min(most, wanted)) - this.#bytes
    if (this.#turn.take(bytes)) this.#bytes += bytes
    else this.#awaited = bytes
    return this.#bytes >= least ? this.#bytes : 0
  }

  use(bytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - bytes)
  }

  end(): void {
    this.#turn.end()
  }
}
