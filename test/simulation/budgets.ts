import type { Item } from './world.ts'

/** What one change of the network may move, in bytes, and what it did. */
interface Budget {
  after: string
  moved: number
  allowed: number
  spare: number
}

/** The greatest item: what may be copied in vain after a change that concerns few items, in bytes. */
const greatest = 12_800_000

/**
 * The bytes that each fault and each recovery from one may move: those of the copies that are newly wanted from then on,
 * each once, and a fifth of them in vain.
 */
export class Budgets {
  readonly #budgets: Budget[] = [{ after: 'the first copies', moved: 0, allowed: 0, spare: greatest }]
  /** By holder and item: a copy that is wanted and has not arrived. */
  readonly #owed = new Map<string, Budget>()
  /** The fault that last changed who should hold an item: a copy that nobody wanted is a consequence of that. */
  readonly #last = new Map<string, Budget>()

  /** What is newly wanted from now on is so for another reason. @param loss the share of messages that are lost */
  begin(after: string, loss: number): void {
    // Who comes back is learned of late, and by some much later than by others.
    const spare = loss < 0.2 ? greatest : 5 * greatest
    this.#budgets.push({ after, moved: 0, allowed: 0, spare })
  }

  /** A copy is wanted that is not there. */
  owe(holder: string, { infoHash, size }: Item): void {
    const owed = `${holder} ${infoHash}`
    if (this.#owed.has(owed)) return
    const budget = this.#budgets.at(-1)!
    this.#owed.set(owed, budget)
    if (budget !== this.#budgets[0]) this.#last.set(infoHash, budget)
    budget.allowed += size
  }

  arrived(holder: string, { infoHash }: Item, bytes: number): void {
    const owed = `${holder} ${infoHash}`
    const budget = this.#owed.get(owed) ?? this.#last.get(infoHash) ?? this.#budgets.at(-1)!
    this.#owed.delete(owed)
    budget.moved += bytes
  }

  get moved(): number {
    return this.#budgets.reduce((sum, { moved }) => sum + moved, 0)
  }

  get allowed(): number {
    return this.#budgets.reduce((sum, { allowed }) => sum + allowed, 0)
  }

  exceeded(): Budget[] {
    return this.#budgets.filter(({ moved, allowed, spare }) => moved > 1.2 * allowed + spare)
  }
}
