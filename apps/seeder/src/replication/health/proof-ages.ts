import type { HolderIndex, NodeId, ProofIndex } from '@eldernode/core'

export interface ProofAgesOptions {
  /** The others that live. */
  others(): Iterable<NodeId>
  index: Pick<HolderIndex, 'bucketsOf'>
  proofs: Pick<ProofIndex, 'wordOn'>
  /** Milliseconds since 1970. */
  now: () => number
}

/** An answer serves for so long. */
const freshMs = 10_000

/** How long ago what others claim was audited, whether its proof still counts or ended. */
export class ProofAges {
  readonly #options: ProofAgesOptions
  /** Since when a bucket is claimed of which nobody said anything. */
  #silent = new Map<string, number>()
  #oldest: number | undefined
  #at = -Infinity

  constructor(options: ProofAgesOptions) {
    this.#options = options
  }

  /**
   * When the bucket was last passed whose audit is longest ago, or first seen when it never was. One that fails its audits
   * is audited, and does not count.
   * @returns milliseconds since 1970, `undefined` when nobody else claims anything
   */
  oldest(): number | undefined {
    const now = this.#options.now()
    if (Math.abs(now - this.#at) < freshMs) return this.#oldest
    this.#at = now
    this.#oldest = undefined
    const before = this.#silent
    this.#silent = new Map()
    for (const [holder, bucket] of this.#claimed()) {
      const { passedAt, fails } = this.#options.proofs.wordOn(holder, Number.parseInt(bucket, 16))
      if (passedAt === undefined && fails) continue
      const key = holder + bucket
      const at = passedAt ?? before.get(key) ?? now
      if (passedAt === undefined) this.#silent.set(key, at)
      this.#oldest = Math.min(this.#oldest ?? at, at)
    }
    return this.#oldest
  }

  *#claimed(): Iterable<[NodeId, string]> {
    const { others, index } = this.#options
    for (const holder of others()) for (const bucket of index.bucketsOf(holder)) yield [holder, bucket]
  }
}
