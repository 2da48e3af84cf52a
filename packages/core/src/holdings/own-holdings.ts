import { BUCKET_ITEMS, bucketOf } from './bucket.ts'
import { BucketFullError } from './errors.ts'
import { HashStates } from './hash-states.ts'
import type { HoldingState } from './holder-index.ts'
import type { Holdings } from './schema.ts'

/** The number of each state is its place here plus one. */
const states = ['held', 'releasing', 'refused'] as const satisfies HoldingState[]

/** What this node says it holds: at most one state an item, at about 21 bytes. */
export class OwnHoldings {
  readonly #buckets = new Map<string, HashStates>()

  /**
   * Says an item's state; `undefined` when there is nothing more to say of it.
   * @returns the bucket that changed, `undefined` when it was so before
   * @throws BucketFullError, and the item stays unsaid
   */
  set(infoHash: string, state: HoldingState | undefined): string | undefined {
    const bucket = bucketOf(infoHash)
    const items = this.#buckets.get(bucket) ?? new HashStates()
    const number = state === undefined ? 0 : states.indexOf(state) + 1
    if (number !== 0 && items.size >= BUCKET_ITEMS && items.get(infoHash) === 0) {
      throw new BucketFullError(bucket, items.size + 1, BUCKET_ITEMS)
    }
    if (!items.set(infoHash, number)) return undefined
    this.#buckets.set(bucket, items)
    return bucket
  }

  get(infoHash: string): HoldingState | undefined {
    return states[(this.#buckets.get(bucketOf(infoHash))?.get(infoHash) ?? 0) - 1]
  }

  /** The buckets that have been spoken of, emptied ones included. */
  buckets(): string[] {
    return [...this.#buckets.keys()].toSorted()
  }

  /** What is published for one bucket. */
  bucket(bucket: string): Holdings {
    const holdings: Holdings = { held: [], releasing: [], refused: [] }
    for (const [infoHash, number] of this.#buckets.get(bucket) ?? []) {
      const state = states[number - 1]
      if (state !== undefined) holdings[state].push(infoHash)
    }
    return holdings
  }
}
