import { BUCKET_ITEMS, bucketOf } from './bucket.ts'
import { BucketFullError } from './errors.ts'
import type { HoldingState } from './holder-index.ts'
import type { Holdings } from './schema.ts'

/** What this node says it holds: at most one state an item. */
export class OwnHoldings {
  readonly #buckets = new Map<string, Map<string, HoldingState>>()

  /**
   * Says an item's state; `undefined` when there is nothing more to say of it.
   * @returns the bucket that changed, `undefined` when it was so before
   * @throws BucketFullError, and the item stays unsaid
   */
  set(infoHash: string, state: HoldingState | undefined): string | undefined {
    const bucket = bucketOf(infoHash)
    const items = this.#buckets.get(bucket) ?? new Map<string, HoldingState>()
    if (items.get(infoHash) === state) return undefined
    if (state === undefined) items.delete(infoHash)
    else if (items.size >= BUCKET_ITEMS && !items.has(infoHash)) {
      throw new BucketFullError(bucket, items.size + 1, BUCKET_ITEMS)
    } else items.set(infoHash, state)
    this.#buckets.set(bucket, items)
    return bucket
  }

  get(infoHash: string): HoldingState | undefined {
    return this.#buckets.get(bucketOf(infoHash))?.get(infoHash)
  }

  /** The buckets that have been spoken of, emptied ones included. */
  buckets(): string[] {
    return [...this.#buckets.keys()].toSorted()
  }

  /** What is published for one bucket. */
  bucket(bucket: string): Holdings {
    const holdings: Holdings = { held: [], releasing: [], refused: [] }
    for (const [infoHash, state] of this.#buckets.get(bucket) ?? []) holdings[state].push(infoHash)
    for (const hashes of Object.values(holdings)) hashes.sort()
    return holdings
  }
}
