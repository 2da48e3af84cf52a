import type { NodeId } from '../identity/index.ts'

type Listener = (pub: NodeId, ts: number) => void

/** Counts what was refused. Reasons come from this package alone, so their number is bounded. */
export class Refusals {
  readonly #counts = new Map<string, number>()
  readonly #listeners = new Set<Listener>()

  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  /** Has `listener` told of heartbeats that were refused for their time. @returns ends it */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(pub: NodeId, ts: number): void {
    for (const listener of this.#listeners) listener(pub, ts)
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}
