import type { Progress, TrackerConnection } from './port.ts'

/** Those that wait past this number are forgotten: a tracker forgets who is silent, too. */
const mostWaiting = 10_000

/** Farewells that fail, none between them heard, until the rest is left unsaid. */
const patience = 3

/** What a tracker has still to hear about torrents that are gone here. They hold no slot. */
export class Farewells {
  readonly #waiting = new Map<string, Progress>()
  #failures = 0
  #ended = false

  get size(): number {
    return this.#waiting.size
  }

  add(infoHash: string, progress: Progress): void {
    this.#waiting.set(infoHash, progress)
    if (this.#waiting.size <= mostWaiting) return
    for (const oldest of this.#waiting.keys()) return void this.#waiting.delete(oldest)
  }

  /** Returns whether it waited. */
  delete(infoHash: string): boolean {
    return this.#waiting.delete(infoHash)
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** The first that is not `busy`. */
  first(busy: (infoHash: string) => boolean): [infoHash: string, progress: Progress] | undefined {
    for (const farewell of this.#waiting) if (!busy(farewell[0])) return farewell
    return undefined
  }

  /** Says what waits, then those of `others`, so many at a time, until it was ended or nobody listens. */
  async sayAll(tracker: TrackerConnection, others: Iterable<string>, concurrency: number): Promise<void> {
    const waiting = [...this.#waiting.keys()]
    this.#waiting.clear()
    const all = (function* () {
      yield* waiting
      yield* others
    })()
    const worker = async (): Promise<void> => {
      for (const infoHash of all) {
        await this.sayOne(tracker, infoHash)
        if (this.#ended || this.#failures >= patience) return
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  async sayOne(tracker: TrackerConnection, infoHash: string): Promise<void> {
    if (this.#ended) return
    try {
      await tracker.announce({ infoHash, event: 'stopped', uploaded: 0, downloaded: 0, left: 0 })
      this.#failures = 0
    } catch {
      this.#failures++
    }
  }

  end(): void {
    this.#ended = true
  }
}
