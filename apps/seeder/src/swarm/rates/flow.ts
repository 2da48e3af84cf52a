import { Gate } from './gate.ts'
import { Turn } from './turn.ts'

interface ItemGate {
  gate: Gate
  users: number
}

/** All bytes of one direction: limited over all items, and in each item. */
export class Flow {
  readonly #now: () => number
  readonly #own: (infoHash: string) => number | undefined
  readonly #all: Gate
  readonly #items = new Map<string, ItemGate>()
  #itemRate = 0

  /** @param own an item's own limit, undefined for the one of every item */
  constructor(now: () => number, own: (infoHash: string) => number | undefined) {
    this.#now = now
    this.#own = own
    this.#all = new Gate(now)
  }

  /** Bytes per second over all items, and of each item without a limit of its own; 0 is no limit. */
  limit(all: number, item: number): void {
    this.#all.rate = all
    if (item === this.#itemRate) return
    this.#itemRate = item
    for (const infoHash of this.#items.keys()) this.limitItem(infoHash)
  }

  /** Asks for an item's own limit again. */
  limitItem(infoHash: string): void {
    const known = this.#items.get(infoHash)
    if (known !== undefined) known.gate.rate = this.#rateOf(infoHash)
  }

  /** The lower of the two limits that an item is under; 0 is no limit. */
  rateOf(infoHash: string): number {
    const rates = [this.#all.rate, this.#rateOf(infoHash)].filter((rate) => rate > 0)
    return rates.length === 0 ? 0 : Math.min(...rates)
  }

  /** A place for one connection, to be ended with it. */
  turn(infoHash: string, go: () => void): Turn {
    const item = this.#items.get(infoHash) ?? this.#add(infoHash)
    item.users++
    let here = true
    return new Turn([item.gate, this.#all], go, () => {
      if (here) item.users--
      here = false
      if (item.users === 0) this.#forget(infoHash, item)
    })
  }

  #add(infoHash: string): ItemGate {
    const item = { gate: new Gate(this.#now), users: 0 }
    item.gate.rate = this.#rateOf(infoHash)
    this.#items.set(infoHash, item)
    return item
  }

  /** Not before its debt is paid: else whoever connects anew for each block would be under no limit. */
  #forget(infoHash: string, item: ItemGate): void {
    if (item.users > 0 || this.#items.get(infoHash) !== item) return
    const { debt } = item.gate
    if (debt === 0) this.#items.delete(infoHash)
    else setTimeout(() => this.#forget(infoHash, item), debt + 1).unref()
  }

  #rateOf(infoHash: string): number {
    return this.#own(infoHash) ?? this.#itemRate
  }
}
