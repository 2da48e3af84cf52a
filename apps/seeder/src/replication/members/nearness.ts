import type { NodeId } from '@eldernode/core'

/** What a new measurement counts beside all former ones. */
const share = 0.25
/** Members remembered at most; those not measured for longest are forgotten. */
const most = 10_000

/** How far away members are, by the time from a request to the first byte of its answer. In memory only. */
export class Nearness {
  /** In the order of their last measurement. */
  readonly #times = new Map<NodeId, number>()

  /** Takes a measurement, in milliseconds. */
  measured(id: NodeId, ms: number): void {
    const before = this.#times.get(id)
    this.#times.delete(id)
    this.#times.set(id, before === undefined ? ms : before + (ms - before) * share)
    if (this.#times.size <= most) return
    const [oldest] = this.#times.keys()
    if (oldest !== undefined) this.#times.delete(oldest)
  }

  /** Milliseconds, averaged over the last few requests; `undefined` for one that was never asked. */
  of(id: NodeId): number | undefined {
    return this.#times.get(id)
  }

  /** Orders members, the nearest first; those never asked come before all others, so that they are asked once. */
  compare(a: NodeId, b: NodeId): number {
    return (this.of(a) ?? 0) - (this.of(b) ?? 0)
  }
}
