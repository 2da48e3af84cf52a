import type { NodeId } from '../identity/index.ts'
import type { Assessment, Demand, View } from './port.ts'

/** Milliseconds that a wanted holder has to prove its copy, besides the time for its bytes: as long as one may be silent. */
const usualAllowance = 600_000
/** Bytes per millisecond (1 MB/s) that a transfer is expected to make at least. */
const slowest = 1000

/** Until when a wanted holder that has proven nothing is waited for, by a clock that nobody sets. */
type Waiting = Map<NodeId, number>

/**
 * Wanted holders that have proven nothing yet, and for how long, as this node itself measures it. After 10 min and the
 * time for the bytes at 1 MB/s another is chosen in their place. That lasts until they prove it, die or leave. Nobody is
 * blamed for a time of being cut off, and everybody comes to the same: a look amid such a time only puts the end off.
 */
export class Unproven {
  readonly #items = new Map<string, Waiting>()
  readonly #clock: () => number
  readonly #allowance: number

  /** @param clock milliseconds of a clock that nobody sets; @param allowance milliseconds (`repair.grace`) */
  constructor(clock: () => number, allowance = usualAllowance) {
    this.#clock = clock
    this.#allowance = allowance
  }

  /** Items with somebody to wait for. */
  get size(): number {
    return this.#items.size
  }

  /** Takes what an assessment says of an item. */
  note({ infoHash, size }: Demand, { wanted, copies }: Assessment, view: View): void {
    const known = this.#items.get(infoHash)
    const isProven = (id: NodeId): boolean => copies.some((copy) => copy.id === id && copy.proof === 'proven')
    // Nobody is late with what is to be had nowhere.
    const sources = copies.filter((copy) => copy.proof === 'proven' && copy.live)
    const late = sources.length === 0 ? [] : wanted.filter((id) => !isProven(id))
    if (known === undefined && late.length === 0) return
    // Nor who may be cut off: its time begins anew, for nobody looks again when it is heard of after all.
    const isCutOff = sources.every(({ suspected }) => suspected)
    const now = this.#clock()
    const next: Waiting = new Map()
    for (const [id, until] of known ?? []) {
      // Who is skipped is wanted no more: that alone must not make it wanted again.
      const stays = until <= now || (late.includes(id) && !isCutOff && !view.isSuspected(id))
      if (stays && view.member(id) !== undefined && !isProven(id)) next.set(id, until)
    }
    for (const id of late) if (!next.has(id)) next.set(id, now + this.#allowance + size / slowest)
    if (next.size === 0) this.#items.delete(infoHash)
    else this.#items.set(infoHash, next)
  }

  isSkipped(id: NodeId, infoHash: string): boolean {
    const until = this.#items.get(infoHash)?.get(id)
    return until !== undefined && until <= this.#clock()
  }

  /** Items of which somebody was waited for in vain since `clock`: they are to be looked at again. */
  *overdue(clock: number): Iterable<string> {
    const now = this.#clock()
    for (const [infoHash, waiting] of this.#items) {
      for (const until of waiting.values()) {
        if (until <= clock || until > now) continue
        yield infoHash
        break
      }
    }
  }

  /** The item is no matter any more. */
  forget(infoHash: string): void {
    this.#items.delete(infoHash)
  }
}
