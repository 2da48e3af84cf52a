/** Milliseconds from the first change of a quiet bucket until it is published, so that a burst travels once. */
const FIRST_AFTER = 200
/** Milliseconds between two publications of one bucket. */
const BETWEEN = 10_000
/** Bytes per second that one node's holdings may take of the network. */
const BYTES_PER_SECOND = 64 * 1024

/**
 * When changed buckets may be published. It keeps no timer: ask `nextAt` when to come back. All times are
 * milliseconds of one clock that never goes back.
 */
export class Pace {
  readonly #due = new Map<string, number>()
  readonly #last = new Map<string, number>()
  #freeAt = 0

  /** A bucket changed. Changes while it waits join the same publication. */
  changed(bucket: string, now: number): void {
    if (this.#due.has(bucket)) return
    const last = this.#last.get(bucket)
    this.#due.set(bucket, Math.max(now + FIRST_AFTER, last === undefined ? 0 : last + BETWEEN))
  }

  /** Takes the bucket that has been due longest; `undefined` when none may go yet. Report it by `published`. */
  take(now: number): string | undefined {
    if (now < this.#freeAt) return undefined
    const [bucket, due] = this.#earliest() ?? []
    if (bucket === undefined || due === undefined || due > now) return undefined
    this.#due.delete(bucket)
    this.#last.set(bucket, now)
    return bucket
  }

  /** Counts what a taken bucket cost, in bytes. */
  published(bytes: number, now: number): void {
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes * 1000) / BYTES_PER_SECOND
  }

  /** When `take` gives something; `undefined` while nothing waits. */
  nextAt(): number | undefined {
    const due = this.#earliest()?.[1]
    return due === undefined ? undefined : Math.max(due, this.#freeAt)
  }

  /** At most 512 buckets wait, so that a scan is cheaper than keeping them sorted. */
  #earliest(): [bucket: string, due: number] | undefined {
    let earliest: [string, number] | undefined
    for (const entry of this.#due) if (earliest === undefined || entry[1] < earliest[1]) earliest = entry
    return earliest
  }
}
