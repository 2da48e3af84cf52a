import { Heap } from './heap.ts'
import { isDoubtful, isLarge, leads, yields, type Candidate } from './rank.ts'

/** Slots that are free. */
export interface Free {
  new: number
  repair: number
  /** Of `new`, those for large items, and for doubtful ones. */
  large: number
  doubtful: number
  /** The last slot of `new` is kept for a doubtful one, if one is due. */
  lastForDoubtful: boolean
}

/** Of first copies there are four kinds, as each may have no slot while the others have; repairs are of one. */
const kinds = 5

/** What waits for its time, and what is due by the order of turns. No step costs more the longer the line is. */
export class Line<T extends Candidate> {
  readonly #later = new Heap<T>((a, b) => a.notBefore < b.notBefore)
  readonly #due = Array.from({ length: kinds }, () => new Heap<T>(leads))
  readonly #yielding = new Heap<T>(yields)

  add(one: T): void {
    this.#later.add(one)
    this.#yielding.add(one)
  }

  delete(one: T): void {
    this.#yielding.delete(one)
    if (this.#later.delete(one)) return
    for (const heap of this.#due) if (heap.delete(one)) return
  }

  /** Has it stand where it belongs after it changed. One at a time. */
  change(one: T, change: () => void): void {
    this.delete(one)
    change()
    this.add(one)
  }

  /** Which is to give up its place first. */
  get worst(): T | undefined {
    return this.#yielding.first
  }

  /** Whose turn it is, of those that have a free slot. */
  next(now: number, free: Free): T | undefined {
    this.#ripen(now)
    const [repair, fresh, doubtful, largeFresh, largeDoubtful] = this.#due.map(({ first }) => first)
    const mayBeLarge = free.new > 0 && free.large > 0
    const mayBeDoubtful = free.new > 0 && free.doubtful > 0
    const risk = firstOf(mayBeDoubtful && doubtful, mayBeDoubtful && mayBeLarge && largeDoubtful)
    const sure = firstOf(free.new > 0 && fresh, mayBeLarge && largeFresh)
    const best = firstOf(free.repair > 0 && repair, sure, risk)
    return free.lastForDoubtful && best?.rank.lane === 'new' ? (risk ?? best) : best
  }

  /** When the next one will be due; Infinity when none will. */
  nextAt(now: number): number {
    this.#ripen(now)
    return this.#later.first?.notBefore ?? Infinity
  }

  #ripen(now: number): void {
    for (let one = this.#later.first; one !== undefined && one.notBefore <= now; one = this.#later.first) {
      this.#later.delete(one)
      this.#due[kindOf(one)]!.add(one)
    }
  }
}

function kindOf(one: Candidate): number {
  return one.rank.lane === 'repair' ? 0 : 1 + Number(isDoubtful(one)) + 2 * Number(isLarge(one.rank))
}

function firstOf<T extends Candidate>(...ones: (T | false | undefined)[]): T | undefined {
  let best: T | undefined
  for (const one of ones) if (one && (best === undefined || leads(one, best))) best = one
  return best
}
