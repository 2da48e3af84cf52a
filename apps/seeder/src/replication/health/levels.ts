import { HashSlots, type Assessment, type Demand } from '@eldernode/core'
import type { Amount, HealthTotals, Level, LevelChange } from './port.ts'

const owns = ['held', 'copied', 'needed', 'stuck'] as const satisfies (keyof OwnCopy)[]
const levels = ['lost', 'below-min', 'below-target', 'at-target', 'surplus'] as const satisfies Level[]

/** What is to be summed up of this node's own copy of an item. */
export interface OwnCopy {
  held: boolean
  /** Held, and published by others only. */
  copied: boolean
  /** Others have not yet as many copies as they can be asked for. */
  needed: boolean
  /** And fewer others than that have room for it or would take it. */
  stuck: boolean
}

type Sum = Level | keyof OwnCopy

/** The level of each item when it was last assessed, and sums of them, at about 40 bytes an item. */
export class Levels {
  readonly #slots = new HashSlots()
  readonly #sums = new Map<Sum, Amount>()
  readonly #changed: (change: LevelChange) => void
  readonly #now: () => number
  #level = new Uint8Array(0)
  #own = new Uint8Array(0)
  #size = new Float64Array(0)

  constructor(now: () => number, changed: (change: LevelChange) => void) {
    this.#now = now
    this.#changed = changed
    for (const sum of [...levels, ...owns]) this.#sums.set(sum, { items: 0, bytes: 0 })
  }

  get(infoHash: string): Level | undefined {
    const slot = this.#slots.find(infoHash)
    return slot === undefined ? undefined : levels[this.#level[slot]!]
  }

  isStuck(infoHash: string): boolean {
    const slot = this.#slots.find(infoHash)
    return slot !== undefined && (this.#own[slot]! & (1 << owns.indexOf('stuck'))) !== 0
  }

  sum(of: Sum): Amount {
    return { ...this.#sums.get(of)! }
  }

  totals(): Pick<HealthTotals, 'levels' | 'items' | 'bytes'> {
    const sums = Object.fromEntries(levels.map((level) => [level, this.sum(level)])) as Record<Level, Amount>
    const all = Object.values(sums)
    return {
      items: all.reduce((total, { items }) => total + items, 0),
      bytes: all.reduce((total, { bytes }) => total + bytes, 0),
      levels: sums,
    }
  }

  note({ infoHash, size }: Demand, { level: after }: Pick<Assessment, 'level'>, own: OwnCopy): void {
    const known = this.#slots.find(infoHash)
    const before = known === undefined ? undefined : levels[this.#level[known]!]
    const mine = owns.reduce((bits, name, bit) => bits + (own[name] ? 1 << bit : 0), 0)
    if (before === after && this.#own[known!] === mine && this.#size[known!] === size) return
    if (known !== undefined) this.#add(known, -1)
    const slot = this.#slots.add(infoHash)
    if (slot >= this.#level.length) this.#grow()
    this.#level[slot] = levels.indexOf(after)
    this.#own[slot] = mine
    this.#size[slot] = size
    this.#add(slot, 1)
    if (before !== after) this.#changed({ infoHash, size, before, after, at: this.#now() })
  }

  /** Nobody's manifest of the item is live any more. */
  delete(infoHash: string): void {
    const slot = this.#slots.find(infoHash)
    if (slot === undefined) return
    const change = { infoHash, size: this.#size[slot]!, before: levels[this.#level[slot]!], after: undefined }
    this.#add(slot, -1)
    this.#slots.delete(infoHash)
    this.#changed({ ...change, at: this.#now() })
  }

  #add(slot: number, sign: 1 | -1): void {
    const own = this.#own[slot]!
    for (const name of [levels[this.#level[slot]!]!, ...owns.filter((_, bit) => (own & (1 << bit)) !== 0)]) {
      const sum = this.#sums.get(name)!
      sum.items += sign
      sum.bytes += sign * this.#size[slot]!
    }
  }

  #grow(): void {
    const room = this.#slots.room
    const [level, own, size] = [new Uint8Array(room), new Uint8Array(room), new Float64Array(room)]
    level.set(this.#level)
    own.set(this.#own)
    size.set(this.#size)
    this.#level = level
    this.#own = own
    this.#size = size
  }
}
