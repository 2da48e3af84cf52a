import type { NodeId } from '@eldernode/core'

/** A holder may have been mended; whoever gives bad pieces on purpose is asked for one more after this time. */
const bannedForMs = 3_600_000
/** The oldest are forgotten beyond it. */
const most = 10_000

/** Members that gave wrong bytes of an item: they are not asked for it again for an hour. In memory only. */
export class Banned {
  readonly #until = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  add(infoHash: string, id: NodeId): void {
    const key = infoHash + id
    this.#until.delete(key)
    this.#until.set(key, this.#now() + bannedForMs)
    if (this.#until.size <= most) return
    const [oldest] = this.#until.keys()
    if (oldest !== undefined) this.#until.delete(oldest)
  }

  has(infoHash: string, id: NodeId): boolean {
    const until = this.#until.get(infoHash + id)
    return until !== undefined && until > this.#now()
  }
}
