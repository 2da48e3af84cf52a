import type { NodeId } from '../identity/index.ts'
import { HashSlots } from './hash-slots.ts'
import type { Demand } from './port.ts'

/** What one publisher's live manifest of an item asks for. `since` in milliseconds since 1970, `size` in bytes. */
export type Asking = Pick<Demand, 'size' | 'min' | 'target' | 'since'>

/** In the place of a publisher's number: several publish the item, and it is looked up. */
const several = 0xffff_ffff

/**
 * What the network's live manifests ask for, at about 55 bytes an item, so that a pass over all of them asks no query.
 * The graph's watch keeps it up to date.
 */
export class Demands {
  readonly #slots = new HashSlots()
  readonly #publishers: NodeId[] = []
  readonly #numbers = new Map<NodeId, number>()
  readonly #several = new Map<string, Map<NodeId, Asking>>()
  #publisher = new Uint32Array(0)
  #size = new Float64Array(0)
  #since = new Float64Array(0)
  #min = new Uint8Array(0)
  #target = new Uint8Array(0)
  #reached = new Uint8Array(0)

  get size(): number {
    return this.#slots.size
  }

  /**
   * Takes what a publisher asks for in place of what it asked before; `undefined` when its manifest is not live any more.
   * @returns whether that changed anything
   */
  set(publisher: NodeId, infoHash: string, asking: Asking | undefined): boolean {
    if (this.#slots.find(infoHash) === undefined) {
      if (asking !== undefined) this.#write(infoHash, new Map([[publisher, asking]]))
      return asking !== undefined
    }
    const before = this.#askings(infoHash)
    const known = before.get(publisher)
    if (asking === undefined ? known === undefined : known !== undefined && isSame(known, asking)) return false
    if (asking === undefined) before.delete(publisher)
    else before.set(publisher, asking)
    this.#several.delete(infoHash)
    if (before.size === 0) this.#slots.delete(infoHash)
    else this.#write(infoHash, before)
    return true
  }

  get(infoHash: string): Demand | undefined {
    const slot = this.#slots.find(infoHash)
    return slot === undefined ? undefined : this.#read(infoHash, slot)
  }

  /** As many copies as the target were claimed: from now on what lacks was lost. Kept as long as the item is. */
  reach(infoHash: string): void {
    const slot = this.#slots.find(infoHash)
    if (slot !== undefined) this.#reached[slot] = 1
  }

  /** All items in no particular order. What is set meanwhile may come or not. */
  *[Symbol.iterator](): Generator<Demand> {
    for (const [infoHash, slot] of this.#slots) yield this.#read(infoHash, slot)
  }

  #read(infoHash: string, slot: number): Demand {
    const publisher = this.#publisher[slot]!
    return {
      infoHash,
      size: this.#size[slot]!,
      publishers: publisher === several ? [...this.#several.get(infoHash)!.keys()] : [this.#publishers[publisher]!],
      min: this.#min[slot]!,
      target: this.#target[slot]!,
      since: this.#since[slot]!,
      reached: this.#reached[slot] === 1,
    }
  }

  #askings(infoHash: string): Map<NodeId, Asking> {
    const many = this.#several.get(infoHash)
    if (many !== undefined) return new Map(many)
    const { publishers, size, min, target, since } = this.get(infoHash)!
    return new Map([[publishers[0]!, { size, min, target, since }]])
  }

  #write(infoHash: string, askings: Map<NodeId, Asking>): void {
    const isNew = this.#slots.find(infoHash) === undefined
    const slot = this.#slots.add(infoHash)
    this.#grow()
    const all = [...askings.values()]
    this.#size[slot] = all[0]!.size
    this.#since[slot] = Math.min(...all.map(({ since }) => since))
    this.#min[slot] = Math.max(...all.map(({ min }) => min))
    this.#target[slot] = Math.max(...all.map(({ target }) => target))
    if (isNew) this.#reached[slot] = 0
    if (askings.size > 1) this.#several.set(infoHash, askings)
    this.#publisher[slot] = askings.size > 1 ? several : this.#numberOf([...askings.keys()][0]!)
  }

  #numberOf(publisher: NodeId): number {
    const known = this.#numbers.get(publisher)
    if (known !== undefined) return known
    this.#numbers.set(publisher, this.#publishers.length)
    return this.#publishers.push(publisher) - 1
  }

  #grow(): void {
    const room = this.#slots.room
    if (room <= this.#publisher.length) return
    const [publisher, size, since] = [new Uint32Array(room), new Float64Array(room), new Float64Array(room)]
    const [min, target, reached] = [new Uint8Array(room), new Uint8Array(room), new Uint8Array(room)]
    publisher.set(this.#publisher)
    size.set(this.#size)
    since.set(this.#since)
    min.set(this.#min)
    target.set(this.#target)
    reached.set(this.#reached)
    this.#publisher = publisher
    this.#size = size
    this.#since = since
    this.#min = min
    this.#target = target
    this.#reached = reached
  }
}

function isSame(a: Asking, b: Asking): boolean {
  return a.size === b.size && a.min === b.min && a.target === b.target && a.since === b.since
}
