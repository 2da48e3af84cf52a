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

/** The place of each sum; what an item adds to is a bit at that place. */
const sums: readonly Sum[] = [...levels, ...owns]

/** In place of an item's bits while nothing was noted of it. */
const unknown = 0

/** The level of each item when it was last assessed, and sums of them, at about 40 bytes an item. */
export class Levels {
  readonly #slots = new HashSlots()
  readonly #items = new Float64Array(sums.length)
  readonly #bytes = new Float64Array(sums.length)
  readonly #changed: (change: LevelChange) => void
  readonly #now: () => number
  /** The bits of the sums that each item adds to: one of a level, and some of this node's own copy. */
  #bits = new Uint16Array(0)
  #size = new Float64Array(0)

  constructor(now: () => number, changed: (change: LevelChange) => void) {
    this.#now = now
    this.#changed = changed
  }

  get(infoHash: string): Level | undefined {
    const slot = this.#slots.find(infoHash)
    return slot === undefined ? undefined : levelIn(this.#bits[slot]!)
  }

  isStuck(infoHash: string): boolean {
    const slot = this.#slots.find(infoHash)
    return slot !== undefined && (this.#bits[slot]! & bitOf('stuck')) !== 0
  }

  sum(of: Sum): Amount {
    const at = sums.indexOf(of)
    return { items: this.#items[at]!, bytes: this.#bytes[at]! }
  }

  totals(): Pick<HealthTotals, 'levels' | 'items' | 'bytes'> {
    const byLevel = Object.fromEntries(levels.map((level) => [level, this.sum(level)])) as Record<Level, Amount>
    const all = Object.values(byLevel)
    return {
      items: all.reduce((total, { items }) => total + items, 0),
      bytes: all.reduce((total, { bytes }) => total + bytes, 0),
      levels: byLevel,
    }
  }

  note({ infoHash, size }: Demand, { level: after }: Pick<Assessment, 'level'>, own: OwnCopy): void {
    const slot = this.#slots.add(infoHash)
    if (slot >= this.#bits.length) this.#grow()
    const [before, bits] = [this.#bits[slot]!, bitsOf(after, own)]
    if (before === bits && this.#size[slot] === size) return
    this.#add(slot, -1)
    this.#bits[slot] = bits
    this.#size[slot] = size
    this.#add(slot, 1)
    const was = levelIn(before)
    if (was !== after) this.#changed({ infoHash, size, before: was, after, at: this.#now() })
  }

  /** Nobody's manifest of the item is live any more. */
  delete(infoHash: string): void {
    const slot = this.#slots.find(infoHash)
    if (slot === undefined) return
    const change = { infoHash, size: this.#size[slot]!, before: levelIn(this.#bits[slot]!), after: undefined }
    this.#add(slot, -1)
    this.#bits[slot] = unknown
    this.#slots.delete(infoHash)
    this.#changed({ ...change, at: this.#now() })
  }

  #add(slot: number, sign: 1 | -1): void {
    const size = this.#size[slot]!
    for (let at = 0, bits = this.#bits[slot]!; bits !== 0; at++, bits >>>= 1) {
      if ((bits & 1) === 0) continue
      this.#items[at]! += sign
      this.#bytes[at]! += sign * size
    }
  }

  #grow(): void {
    const room = this.#slots.room
    const [bits, size] = [new Uint16Array(room), new Float64Array(room)]
    bits.set(this.#bits)
    size.set(this.#size)
    this.#bits = bits
    this.#size = size
  }
}

function bitOf(sum: Sum): number {
  return 1 << sums.indexOf(sum)
}

function bitsOf(level: Level, own: OwnCopy): number {
  let bits = bitOf(level)
  for (const name of owns) if (own[name]) bits |= bitOf(name)
  return bits
}

function levelIn(bits: number): Level | undefined {
  return levels.find((level) => (bits & bitOf(level)) !== 0)
}
