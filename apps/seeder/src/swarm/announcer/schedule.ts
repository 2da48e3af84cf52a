import { DueQueue } from './due-queue.ts'
import { TrackerRefusedError } from './errors.ts'
import type { Announce, AnnounceAnswer, TrackerConnection } from './port.ts'

export interface ScheduleOptions {
  tracker: TrackerConnection
  /** Announces under way at a time: a start with a thousand torrents is spread out, not a burst. */
  concurrency: number
  /** Whether the tracker must be told when this node stops; one that sees the connection end need not. */
  farewell: boolean
  /** Progress of a torrent; undefined when it is gone. */
  progress: (infoHash: string) => Progress | undefined
  answered: (infoHash: string, answer: AnnounceAnswer) => void
  failed: (error: unknown) => void
  now: () => number
  /** 0 to 1, spreads retries of many nodes. */
  random: () => number
}

export interface Progress {
  uploaded: number
  downloaded: number
  left: number
}

type Event = Announce['event']

/** Milliseconds between announces of one torrent, whatever a tracker asks for. */
const [shortest, longest] = [15_000, 60 * 60_000]

/** While something is wanted, sources are asked for more often. */
const longestWhileFetching = 30_000

const [firstRetry, lastRetry] = [1_000, 5 * 60_000]

/**
 * When each torrent is announced to one tracker: one timer and no scan, for any number of torrents, and one announce
 * at a time for each, so that a farewell cannot overtake a new start. A tracker that fails is left alone for a while
 * that doubles; once it stands again everything goes on.
 */
export class Schedule {
  readonly #options: ScheduleOptions
  /** What waits only for its turn. */
  readonly #due = new Map<string, Event>()
  readonly #later = new DueQueue()
  readonly #running = new Set<string>()
  /** Torrents the tracker knows of. */
  readonly #announced = new Set<string>()
  #retryAfter = firstRetry
  #pausedUntil = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ScheduleOptions) {
    this.#options = options
  }

  add(infoHash: string): void {
    this.#put(infoHash, 'started')
  }

  /** Announces ahead of time, unless that waits already. */
  hurry(infoHash: string): void {
    if (this.#announced.has(infoHash) && !this.#due.has(infoHash)) this.#put(infoHash, 'update')
  }

  /** The torrent is whole now. */
  complete(infoHash: string): void {
    this.#put(infoHash, this.#announced.has(infoHash) ? 'completed' : 'started')
  }

  remove(infoHash: string): void {
    this.#later.delete(infoHash)
    this.#due.delete(infoHash)
    if (this.#announced.delete(infoHash)) this.#put(infoHash, 'stopped')
  }

  /** The tracker has lost sight of this node: everything is announced anew, after a moment. */
  restart(): void {
    for (const infoHash of this.#later.keys()) this.#due.set(infoHash, 'started')
    this.#later.clear()
    for (const [infoHash, event] of this.#due) {
      if (event === 'stopped') this.#due.delete(infoHash)
      else this.#due.set(infoHash, 'started')
    }
    this.#announced.clear()
    this.#pause()
    this.#run()
  }

  /** Says farewell for what was announced, as far as that goes within `deadline` milliseconds. */
  async close(deadline: number): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const { tracker, farewell, now } = this.#options
    if (farewell && this.#pausedUntil <= now()) {
      const over = new Promise<void>((resolve) => setTimeout(resolve, deadline).unref())
      const told = [...this.#announced].slice(0, 500).map((infoHash) =>
        tracker.announce({ infoHash, event: 'stopped', uploaded: 0, downloaded: 0, left: 0 }).then(
          () => {},
          () => {},
        ),
      )
      await Promise.race([Promise.all(told), over])
    }
    tracker.close()
  }

  #put(infoHash: string, event: Event): void {
    this.#later.delete(infoHash)
    this.#due.set(infoHash, event)
    this.#run()
  }

  #run(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const now = this.#options.now()
    if (this.#pausedUntil > now) return this.#wakeAt(this.#pausedUntil)
    for (let infoHash = this.#later.take(now); infoHash !== undefined; infoHash = this.#later.take(now)) {
      this.#due.set(infoHash, 'update')
    }
    for (const [infoHash, event] of this.#due) {
      if (this.#running.size >= this.#options.concurrency) return
      if (this.#running.has(infoHash)) continue
      this.#due.delete(infoHash)
      void this.#announce(infoHash, event)
    }
    const next = this.#later.next
    if (next !== undefined) this.#wakeAt(next)
  }

  #wakeAt(at: number): void {
    this.#timer = setTimeout(() => this.#run(), Math.max(at - this.#options.now(), 0))
    this.#timer.unref()
  }

  async #announce(infoHash: string, event: Event): Promise<void> {
    const { tracker, progress } = this.#options
    const state = progress(infoHash)
    if (state === undefined && event !== 'stopped') return
    this.#running.add(infoHash)
    if (event !== 'stopped') this.#announced.add(infoHash)
    try {
      const answer = await tracker.announce({ infoHash, event, ...(state ?? { uploaded: 0, downloaded: 0, left: 0 }) })
      this.#retryAfter = firstRetry
      if (event !== 'stopped') this.#heard(infoHash, answer)
    } catch (error) {
      this.#options.failed(error)
      if (error instanceof TrackerRefusedError) this.#again(infoHash, longest)
      else this.#failed(infoHash, event)
    } finally {
      this.#running.delete(infoHash)
      this.#run()
    }
  }

  #heard(infoHash: string, answer: AnnounceAnswer): void {
    const state = this.#options.progress(infoHash)
    if (state === undefined || this.#closed) return
    const most = state.left > 0 ? longestWhileFetching : longest
    this.#again(infoHash, Math.min(Math.max(answer.interval, shortest), most))
    this.#options.answered(infoHash, answer)
  }

  #again(infoHash: string, interval: number): void {
    if (this.#due.has(infoHash) || !this.#announced.has(infoHash)) return
    this.#later.set(infoHash, this.#options.now() + interval)
  }

  #failed(infoHash: string, event: Event): void {
    const gone = event !== 'stopped' && this.#options.progress(infoHash) === undefined
    // A farewell that fails is not worth repeating: the tracker forgets who is silent.
    if (event !== 'stopped' && !gone && !this.#due.has(infoHash)) {
      this.#due.set(infoHash, this.#announced.has(infoHash) ? event : 'started')
    }
    this.#pause()
  }

  #pause(): void {
    const now = this.#options.now()
    if (this.#pausedUntil > now) return
    this.#pausedUntil = now + this.#retryAfter * (0.5 + this.#options.random())
    this.#retryAfter = Math.min(this.#retryAfter * 2, lastRetry)
  }
}
