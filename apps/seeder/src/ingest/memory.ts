import { payloadSizeOf } from '@eldernode/core'

/** Memory that threads share; given back once nobody reads it. */
export interface Slot {
  /** Has room for `bytes` encrypted in place. */
  memory: SharedArrayBuffer
  /** Whole chunks of an age payload. */
  bytes: Uint8Array
}

const large = 1024 * 1024
const small = 64 * 1024

/**
 * What all uploads may keep in memory together. Large slots come from one budget; every upload may have one small slot
 * outside of it, so that a budget held by stalled uploads stops nobody.
 */
export class MemoryBudget {
  readonly #idle: Slot[] = []
  #left: number

  constructor(bytes: number) {
    this.#left = Math.floor(bytes / large)
  }

  take(): Slot | undefined {
    const slot = this.#idle.pop()
    if (slot !== undefined) return slot
    if (this.#left === 0) return undefined
    this.#left--
    return newSlot(large)
  }

  give(slot: Slot): void {
    this.#idle.push(slot)
  }
}

function newSlot(size: number): Slot {
  const memory = new SharedArrayBuffer(payloadSizeOf(size))
  return { memory, bytes: new Uint8Array(memory, 0, size) }
}

/** The slots of one upload or file: a few at most, so that the reader waits for the disk and the hashes. */
export class Slots {
  readonly #budget: MemoryBudget
  readonly #most: number
  #held = 0
  #reserve: Slot | undefined
  #reserveOut = false
  #wake: (() => void) | undefined

  constructor(budget: MemoryBudget, most = 8) {
    this.#budget = budget
    this.#most = most
  }

  /** @param little asks for little memory, while an upload may still turn out to be a small one */
  async take(little: boolean): Promise<Slot> {
    for (;;) {
      const slot = this.#next(little)
      if (slot !== undefined) return slot
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #next(little: boolean): Slot | undefined {
    if (!little && this.#held < this.#most) {
      const slot = this.#budget.take()
      if (slot !== undefined) this.#held++
      if (slot !== undefined) return slot
    }
    if (this.#reserveOut || (!little && this.#held > 0)) return undefined
    this.#reserveOut = true
    return (this.#reserve ??= newSlot(small))
  }

  give(slot: Slot): void {
    if (slot === this.#reserve) this.#reserveOut = false
    else {
      this.#held--
      this.#budget.give(slot)
    }
    this.#wake?.()
    this.#wake = undefined
  }
}
