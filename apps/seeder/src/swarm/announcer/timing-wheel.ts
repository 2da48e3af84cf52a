import { SlotLists } from './slot-lists.ts'

/**
 * Slots that wait for a time, given in whole seconds from 0. Setting, dropping and coming due cost the same for any
 * number of slots. A time further ahead than the wheel is long is met once a turn and let pass.
 */
export class TimingWheel {
  readonly #length: number
  /** The first list of the wheel; those before it are the owner's. */
  readonly #from: number
  readonly lists: SlotLists
  #times = new Uint32Array(64)
  /** All before this second has come due. */
  #hand = 0

  /** `lanes` are lists beside the wheel, 0 to `lanes` - 1, of slots whose time no longer counts. */
  constructor(lanes: number, length = 4096) {
    this.#from = lanes
    this.#length = length
    this.lists = new SlotLists(lanes + length)
  }

  /** When a slot is or was due. */
  time(slot: number): number {
    return this.#times[slot] ?? 0
  }

  /** Sets the time without letting the slot wait for it. */
  note(slot: number, second: number): void {
    if (slot >= this.#times.length) {
      const longer = new Uint32Array(Math.max(this.#times.length * 2, slot + 1))
      longer.set(this.#times)
      this.#times = longer
    }
    this.#times[slot] = second
  }

  /** The slot waits for a second; one that is over is taken as the next. */
  set(slot: number, second: number): void {
    const time = Math.max(Math.ceil(second), this.#hand)
    this.note(slot, time)
    this.lists.append(this.#list(time), slot)
  }

  /** Takes out what is due by a second, in the order of time; `due` puts it elsewhere. */
  advance(second: number, due: (slot: number) => void): void {
    if (second < this.#hand) return
    const turns = Math.min(second - this.#hand + 1, this.#length)
    for (let turn = 0; turn < turns; turn++) {
      const list = this.#list(this.#hand + turn)
      for (let slot = this.lists.first(list); slot !== undefined;) {
        const next = this.lists.after(slot)
        if (this.time(slot) <= second) {
          this.lists.remove(slot)
          due(slot)
        }
        slot = next
      }
    }
    this.#hand = second + 1
  }

  /** The first second at which something may be due. */
  get next(): number | undefined {
    for (let ahead = 0; ahead < this.#length; ahead++) {
      if (!this.lists.isEmpty(this.#list(this.#hand + ahead))) return this.#hand + ahead
    }
    return undefined
  }

  /** Puts all that waits into a lane, in the order of time. */
  empty(lane: number): void {
    for (let ahead = 0; ahead < this.#length; ahead++) this.lists.moveAll(this.#list(this.#hand + ahead), lane)
  }

  /** What waits, the furthest first. It may be changed meanwhile. */
  *latest(): Generator<number, void> {
    for (let ahead = this.#length - 1; ahead >= 0; ahead--) {
      const list = this.#list(this.#hand + ahead)
      for (let slot = this.lists.last(list); slot !== undefined;) {
        const before = this.lists.before(slot)
        yield slot
        slot = before
      }
    }
  }

  #list(second: number): number {
    return this.#from + (second % this.#length)
  }
}
