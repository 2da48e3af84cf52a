import type { Gate, Waiting } from './gate.ts'

/** The most that passes at once, so that others do not wait long: a block, or a 64th of a second at high rates. */
const [smallest, largest] = [16_384, 524_288]

/** Makes a turn that tells `go` when bytes that had to wait may pass. */
export type TurnOf = (go: () => void) => Turn

/** One connection's place at the gates of its item and of the node, which its bytes pass one after the other. */
export class Turn implements Waiting {
  readonly #gates: readonly Gate[]
  readonly #go: () => void
  readonly #left: () => void
  #next = 0
  #bytes = 0

  /** @param go told when bytes may pass that had to wait; @param left told once, when it needs no turn any more */
  constructor(gates: readonly Gate[], go: () => void, left: () => void) {
    this.#gates = gates
    this.#go = go
    this.#left = left
  }

  /** The most bytes to take at once; infinite while there is no limit. */
  get most(): number {
    let rate = Infinity
    for (const gate of this.#gates) if (gate.rate > 0 && gate.rate < rate) rate = gate.rate
    return rate === Infinity ? Infinity : Math.min(Math.max(Math.ceil(rate / 64), smallest), largest)
  }

  /**
   * Takes `bytes` out of all limits.
   * @returns whether they may pass now; else `go` is called once they may, and nothing may be taken before
   */
  take(bytes: number): boolean {
    this.#bytes = bytes
    this.#next = 0
    return this.#walk()
  }

  /** Bytes that passed were not used after all. */
  giveBack(bytes: number): void {
    for (const gate of this.#gates) gate.giveBack(bytes)
  }

  passed(): void {
    if (this.#walk()) this.#go()
  }

  /** Waits no more, and never will. */
  end(): void {
    for (const gate of this.#gates) gate.leave(this)
    this.#left()
  }

  #walk(): boolean {
    for (let gate = this.#gates[this.#next]; gate !== undefined; gate = this.#gates[this.#next]) {
      this.#next++
      if (!gate.pass(this, this.#bytes)) return false
    }
    return true
  }
}
