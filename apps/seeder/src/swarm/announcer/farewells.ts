import type { Progress, TrackerConnection } from './port.ts'
import type { Running } from './under-way.ts'

/** Those that wait past this number are forgotten: a tracker forgets who is silent, too. */
const mostWaiting = 10_000

/** Farewells that fail, none between them heard, until the rest is left unsaid. */
const patience = 3

/** What is known of a torrent that comes back, for it to go on as the one it was. */
export interface Legacy {
  /** Bits of `ItemNotes`. */
  bits: number
  /** When it is gone for good, on the clock of the schedule. */
  readonly until: number
}

export interface Farewell {
  readonly progress: Progress
  readonly legacy?: Legacy | undefined
}

export interface LastFarewells {
  tracker: TrackerConnection
  concurrency: number
  underWay: Iterable<Running>
  known: Iterable<[infoHash: string, progress: Progress]>
  /** What is told of a torrent. */
  told(infoHash: string): [infoHash: string, progress: Progress]
}

/** What a tracker has still to hear about torrents that are gone here. They hold no slot. */
export class Farewells {
  readonly #waiting = new Map<string, Farewell>()
  #failures = 0
  #ended = false

  get size(): number {
    return this.#waiting.size
  }

  add(infoHash: string, farewell: Farewell): void {
    this.#waiting.set(infoHash, farewell)
    if (this.#waiting.size <= mostWaiting) return
    for (const oldest of this.#waiting.keys()) return void this.#waiting.delete(oldest)
  }

  /** What is known of one that waits, if it is to come back. */
  legacy(infoHash: string): Legacy | undefined {
    return this.#waiting.get(infoHash)?.legacy
  }

  /** Returns what waited, if anything did: it is not said any more. */
  take(infoHash: string): Farewell | undefined {
    const farewell = this.#waiting.get(infoHash)
    this.#waiting.delete(infoHash)
    return farewell
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** The first that is not `busy`, and comes back no more. */
  first(now: number, busy: (infoHash: string) => boolean): [infoHash: string, progress: Progress] | undefined {
    for (const [infoHash, { progress, legacy }] of this.#waiting) {
      if ((legacy?.until ?? now) <= now && !busy(infoHash)) return [infoHash, progress]
    }
    return undefined
  }

  /** Says what waits, then those of `others`, so many at a time, until it was ended or nobody listens. */
  async sayAll(
    tracker: TrackerConnection,
    others: Iterable<[infoHash: string, progress: Progress]>,
    concurrency: number,
  ): Promise<void> {
    const waiting = [...this.#waiting].map(([infoHash, { progress }]): [string, Progress] => [infoHash, progress])
    this.#waiting.clear()
    const all = (function* () {
      yield* waiting
      yield* others
    })()
    const worker = async (): Promise<void> => {
      for (const [infoHash, progress] of all) {
        await this.sayOne(tracker, infoHash, progress)
        if (this.#ended || this.#failures >= patience) return
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  async sayOne(tracker: TrackerConnection, infoHash: string, progress: Progress): Promise<void> {
    if (this.#ended) return
    try {
      await tracker.announce({ ...progress, infoHash, event: 'stopped' })
      this.#failures = 0
    } catch {
      this.#failures++
    }
  }

  /** Says it of all there is: of what is under way as soon as that ended, of what waits, and of what is `known`. */
  async sayLast({ tracker, concurrency, underWay, known, told }: LastFarewells): Promise<void> {
    const ending = [...underWay].flatMap(({ infoHash, event, ended }) =>
      event === 'stopped' ? [ended] : [ended.then(() => this.sayOne(tracker, ...told(infoHash)))],
    )
    await Promise.all([...ending, this.sayAll(tracker, known, concurrency)])
  }

  /** Gives what is `said` so many milliseconds, and ends it. */
  async within(deadline: number, said: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadline)))
    await Promise.race([said, over])
    clearTimeout(timer)
    this.end()
  }

  end(): void {
    this.#ended = true
  }
}
