/** One whose time may run out. */
export interface Mortal {
  /** The second in which it does, and a place: both are kept by `Deadlines`. */
  deadline: number
  round: number
}

/** Seconds that may be given at most, and then some. */
const turn = 64

/** Tells who has let its time pass. Giving more time costs nothing: each is looked at when its old time is up. */
export class Deadlines<T extends Mortal> {
  readonly #rounds = Array.from({ length: turn }, () => new Set<T>())
  readonly #late: (one: T) => void
  #second = 0

  constructor(late: (one: T) => void) {
    this.#late = late
  }

  add(one: T, seconds: number): void {
    this.extend(one, seconds)
    one.round = one.deadline % turn
    this.#rounds[one.round]?.add(one)
  }

  /** Gives more time than it had. */
  extend(one: T, seconds: number): void {
    // The present second is partly over.
    one.deadline = this.#second + Math.min(seconds, turn - 2) + 1
  }

  remove(one: T): void {
    this.#rounds[one.round]?.delete(one)
  }

  /** To be called once a second. */
  tick(): void {
    this.#second++
    const due = this.#rounds[this.#second % turn]
    if (due === undefined) return
    for (const one of due) {
      if (one.deadline > this.#second) this.#move(one)
      else {
        due.delete(one)
        this.#late(one)
      }
    }
  }

  /** Whose time is up before that of all others. */
  first(): T | undefined {
    for (let second = this.#second + 1; second < this.#second + turn; second++) {
      for (const one of this.#rounds[second % turn] ?? []) {
        if (one.deadline <= second) return one
        this.#move(one)
      }
    }
    return undefined
  }

  forEach(visit: (one: T) => void): void {
    for (const round of this.#rounds) for (const one of round) visit(one)
  }

  /** To where it belongs since it was given more time. */
  #move(one: T): void {
    this.remove(one)
    one.round = one.deadline % turn
    this.#rounds[one.round]?.add(one)
  }
}
