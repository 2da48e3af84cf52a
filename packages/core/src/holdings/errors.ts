import { EldernodeError } from '../errors.ts'

/** A node holds more items in one bucket than an envelope can say. */
export class BucketFullError extends EldernodeError {
  constructor(bucket: string, items: number, limit: number) {
    super(
      'bucket_full',
      `bucket ${bucket} of this node has ${items} items and an envelope says at most ${limit}; ` +
        'hold fewer items here, or run another node',
    )
  }
}
