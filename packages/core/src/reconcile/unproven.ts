import type { NodeId } from '../identity/index.ts'
import type { Assessment, Copy, Demand, View } from './port.ts'

/** Milliseconds that a wanted holder has to prove its copy, besides the time for its bytes: as long as one may be silent. */
const usualAllowance = 600_000
/** Bytes per millisecond (1 MB/s) that a transfer is expected to make at least. */
const slowest = 1000

/** A wanted holder that has proven nothing. */
interface Wait {
  /** By a clock that nobody sets; Infinity while it is not waited for. */
  until: number
  /** How often it was waited for before, in vain. */
  vain: number
}

type Waiting = Map<NodeId, Wait>

/**
 * Wanted holders that have proven nothing yet, and for how long, as this node itself measures it. After 10 min and the
 * time for the bytes at 1 MB/s another is chosen in their place. That lasts until they prove it, die or leave; when there
 * is no other they are waited for again, in turns: else a liar with the best score would keep those away who were only
 * slow. Nobody is blamed for a time of being cut off, and everybody comes to the same: a look amid such a time only puts
 * the end off.
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
    const known = this.#of(infoHash)
    if (known === undefined && wanted.every((id) => isProvenIn(copies, id))) return
    const isProven = (id: NodeId): boolean => isProvenIn(copies, id)
    // Nobody is late with what is to be had nowhere.
    const sources = copies.filter((copy) => copy.proof === 'proven' && copy.live)
    const late = sources.length === 0 ? [] : wanted.filter((id) => !isProven(id))
    if (known === undefined && late.length === 0) return
    // Nor who may be cut off: its time begins anew, for nobody looks again when it is heard of after all.
    const isCutOff = sources.every(({ suspected }) => suspected)
    const now = this.#clock()
    const next: Waiting = new Map()
    for (const [id, wait] of known ?? []) {
      if (view.member(id) === undefined || isProven(id)) continue
      const isOver = wait.until <= now
      const goesOn = !isOver && late.includes(id) && !isCutOff && !view.isSuspected(id)
      if (goesOn) next.set(id, wait)
      // Who is skipped is wanted no more: that alone must not make it wanted again.
      else if (isOver || wait.vain > 0) next.set(id, { until: Infinity, vain: wait.vain + Number(isOver) })
    }
    for (const id of late) {
      const wait = next.get(id)
      if (wait !== undefined && wait.until !== Infinity) continue
      next.set(id, { until: now + this.#allowance + size / slowest, vain: wait?.vain ?? 0 })
    }
    if (next.size === 0) this.#items.delete(infoHash)
    else this.#items.set(infoHash, next)
  }

  /** How often a holder was waited for in vain; 0 for who is not skipped. */
  vain(id: NodeId, infoHash: string): number {
    const wait = this.#of(infoHash)?.get(id)
    return wait === undefined ? 0 : wait.vain + Number(wait.until <= this.#clock())
  }

  /** Items of which somebody was waited for in vain since `clock`: they are to be looked at again. */
  *overdue(clock: number): Iterable<string> {
    const now = this.#clock()
    for (const [infoHash, waiting] of this.#items) {
      for (const { until } of waiting.values()) {
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

  /** Mostly nobody is waited for, and then nothing is looked up. */
  #of(infoHash: string): Waiting | undefined {
    return this.#items.size === 0 ? undefined : this.#items.get(infoHash)
  }
}

function isProvenIn(copies: readonly Copy[], id: NodeId): boolean {
  for (const copy of copies) if (copy.id === id) return copy.proof === 'proven'
  return false
}
