import { Pace } from './pace.ts'
import { TimingWheel } from './timing-wheel.ts'

/** Lists beside the wheel: to announce at once, to announce in turn, and to be spread once the tracker answers. */
const [urgent, ready, unspread] = [0, 1, 2]

/** Everything is announced anew in so much less than an interval after the tracker lost sight of this node. */
const hasteAfterLoss = 1 / 0.7

/** Whose turn it is to be announced. A slot waits for one turn at most. */
export class AnnounceTurns {
  readonly pace: Pace
  readonly #now: () => number
  readonly #began: number
  readonly #wheel = new TimingWheel(3)
  readonly #lists = this.#wheel.lists
  #haste = 1

  constructor(now: () => number) {
    this.#now = now
    this.#began = now()
    this.pace = new Pace(this.#began)
  }

  /** Seconds since the first, with a fraction: the time of all that waits here. */
  get second(): number {
    return (this.#now() - this.#began) / 1000
  }

  has(slot: number): boolean {
    return this.#lists.has(slot)
  }

  drop(slot: number): void {
    this.#lists.remove(slot)
  }

  /** Announced at once. */
  soon(slot: number): void {
    this.#lists.append(urgent, slot)
  }

  /** Announced after all that is due already. */
  inTurn(slot: number): void {
    this.#lists.append(ready, slot)
  }

  /** Due in so many milliseconds. */
  later(slot: number, wait: number): void {
    this.#wheel.set(slot, this.second + wait / 1000)
  }

  /** Due at a second, unless it is before that. */
  notAfter(slot: number, second: number): void {
    if (this.#wheel.time(slot) > second) this.#wheel.set(slot, second)
  }

  /** Due at any time within an interval, which is found out by `spread`. */
  someTime(slot: number): void {
    this.#lists.append(unspread, slot)
  }

  /** Spreads evenly over an interval what is due at any time within it, one part of so many `items`. */
  spread(items: number): void {
    let count = 0
    for (let slot = this.#lists.first(unspread); slot !== undefined; slot = this.#lists.after(slot)) count++
    const now = this.second
    const step = this.pace.span(items, this.#haste) / 1000 / count
    this.#haste = 1
    for (let place = 0; place < count; place++) {
      const slot = this.#lists.first(unspread) ?? 0
      if (place * step >= 1) this.#wheel.set(slot, now + place * step)
      else {
        this.#wheel.note(slot, now)
        this.#lists.append(ready, slot)
      }
    }
  }

  /** All but what is announced at once is due at any time within an interval, in the order of its turns. */
  restart(): void {
    this.#lists.moveAll(ready, unspread)
    this.#wheel.empty(unspread)
    this.#haste = hasteAfterLoss
  }

  /** Lets time pass for so many `items`. Those that `hurries` are announced at once when they are due. */
  pass(items: number, hurries: (slot: number) => boolean): void {
    const second = this.second
    this.#wheel.advance(Math.floor(second), (slot) => this.#lists.append(hurries(slot) ? urgent : ready, slot))
    const first = this.#lists.first(ready)
    const late = first === undefined ? 0 : (second - this.#wheel.time(first)) * 1000
    this.pace.pass(this.#now(), items, late)
  }

  /** Takes whose turn it is, whatever the pace. */
  takeAny(): number | undefined {
    return this.#take(this.#lists.first(urgent) ?? this.#lists.first(ready) ?? this.#lists.first(unspread))
  }

  takeSoon(): number | undefined {
    const slot = this.#lists.first(urgent)
    return slot !== undefined && this.pace.takeUrgent() ? this.#take(slot) : undefined
  }

  takeInTurn(): number | undefined {
    const slot = this.#lists.first(ready)
    return slot !== undefined && this.pace.take() ? this.#take(slot) : undefined
  }

  /** Whether something is due now. */
  get waiting(): boolean {
    return !this.#lists.isEmpty(urgent) || !this.#lists.isEmpty(ready)
  }

  /** When the first of the rest is due, on the clock of `now`. */
  get next(): number | undefined {
    const next = this.#wheel.next
    return next === undefined ? undefined : this.#began + next * 1000
  }

  /** All that was announced and waits for its next time, the latest first. */
  *latest(): Generator<number, void> {
    yield* this.#wheel.latest()
    for (const list of [urgent, ready]) {
      for (let slot = this.#lists.first(list); slot !== undefined; slot = this.#lists.after(slot)) yield slot
    }
  }

  #take(slot: number | undefined): number | undefined {
    if (slot !== undefined) this.#lists.remove(slot)
    return slot
  }
}
