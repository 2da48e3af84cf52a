import type { Assessment, Duty, View } from './port.ts'
import { lowerScored } from './surplus.ts'

/** Milliseconds for which a copy is marked before it goes: longer than a mark travels and than a partition stays unseen. */
export const RELEASE_AFTER = 60_000

/** Marked copies at once, so that a node that comes back late gives its surplus up slowly. */
const mostMarked = 1000

/** What to do about this node's copy now. `go`: its bytes may be removed; ask for each anew, right before. */
export type Step = 'nothing' | 'mark' | 'wait' | 'unmark' | 'go'

/**
 * The copies that this node is about to give up. A copy is marked, everybody is told, and 60 s later it goes if the
 * rule still holds. Two holders can never both count on the other: of two who went, one must have seen the other's mark,
 * for each waits longer than a mark takes to arrive, and whoever is cut off is suspected before the wait is over.
 */
export class Releases {
  /** When the network was told of each mark; `undefined` until it was. By a clock that nobody sets. */
  readonly #marks = new Map<string, number | undefined>()

  get size(): number {
    return this.#marks.size
  }

  isMarked(infoHash: string): boolean {
    return this.#marks.has(infoHash)
  }

  /** What follows from a duty. A mark is set here; say it in the holdings, and call `told` once that is published. */
  step(infoHash: string, duty: Duty, assessment: Assessment, view: View, clock: number): Step {
    if (duty.do !== 'release') return this.#marks.delete(infoHash) ? 'unmark' : 'nothing'
    if (!this.#marks.has(infoHash)) {
      if (this.#marks.size >= mostMarked) return 'nothing'
      this.#marks.set(infoHash, undefined)
      return 'mark'
    }
    // The mark stays while somebody is suspected: who comes back in time should not make the wait begin anew.
    return duty.sure && this.#isOver(infoHash, clock) && !isPreceded(infoHash, assessment, view) ? 'go' : 'wait'
  }

  /** The holdings that name this mark were published. */
  told(infoHash: string, clock: number): void {
    if (this.#marks.has(infoHash) && this.#marks.get(infoHash) === undefined) {
      // Put last, so that the marks are in the order of their times.
      this.#marks.delete(infoHash)
      this.#marks.set(infoHash, clock)
    }
  }

  /** The copy is gone, or the item is no matter any more. */
  forget(infoHash: string): void {
    this.#marks.delete(infoHash)
  }

  /** The copies that have been marked for long enough. */
  *due(clock: number): Iterable<string> {
    for (const infoHash of this.#marks.keys()) if (this.#isOver(infoHash, clock)) yield infoHash
  }

  #isOver(infoHash: string, clock: number): boolean {
    const toldAt = this.#marks.get(infoHash)
    return toldAt !== undefined && clock - toldAt >= RELEASE_AFTER
  }
}

/** One at a time: the marked copy of the lowest score goes first. A dead member's mark holds nobody up. */
function isPreceded(infoHash: string, { copies }: Assessment, view: View): boolean {
  const marked = copies.filter((copy) => copy.live && copy.state === 'releasing' && copy.id !== view.self)
  return marked.length > 0 && lowerScored(infoHash, view).some(({ id }) => marked.some((copy) => copy.id === id))
}
