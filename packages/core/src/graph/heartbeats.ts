import type { NodeId } from '../identity/index.ts'
import type { Admitted } from './guard.ts'
import { limits } from './limits.ts'
import { supersedes } from './supersedes.ts'

/** The newest heartbeat of each publisher, in memory only. */
export class Heartbeats {
  readonly #newest = new Map<NodeId, Admitted>()

  /** @returns whether it was newer than the one kept */
  keep(value: Admitted): boolean {
    const { pub } = value.accepted
    if (!supersedes(value.entry, this.#newest.get(pub)?.entry)) return false
    this.#newest.delete(pub)
    this.#newest.set(pub, value)
    for (const oldest of this.#newest.keys()) {
      if (this.#newest.size <= limits.heartbeats) break
      this.#newest.delete(oldest)
    }
    return true
  }

  get(pub: NodeId): Admitted | undefined {
    return this.#newest.get(pub)
  }

  values(): Iterable<Admitted> {
    return this.#newest.values()
  }
}
