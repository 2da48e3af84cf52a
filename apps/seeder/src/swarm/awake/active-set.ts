import { Recency } from './recency.ts'
import type { Used } from './recency.ts'

/** What the set has to know of an awake torrent. */
export interface Awake extends Used {
  readonly infoHash: string
  readonly hasPeers: boolean
  /** When it was woken, or a peer came that had not come before, in milliseconds. */
  readonly arrivedAt: number
  /** When a peer was last sent bytes of it, in milliseconds. */
  readonly tookAt: number
  readonly pinned: boolean
}

export interface ActiveSetOptions<T extends Awake> {
  maxActive: number
  /** Milliseconds. */
  idleAfter: number
  /** Milliseconds, never backwards. */
  now: () => number
  /** Told of a torrent that left the set for want of use. */
  sleep: (torrent: T) => void
}

/** Milliseconds that a peer has to ask for its first bytes. */
const firstAsk = 2_000

/** Torrents that are looked at for a place in each millisecond at most. */
const looksPerMillisecond = 10

/**
 * The seeded torrents that are awake, at most `maxActive`, and which of them sleeps first: the one not used for the
 * longest time. One whose connected peers take bytes, or that is pinned, never makes room, nor one whose peers have just
 * come: when more is asked for than may be awake, some get their bytes, instead of all waking each other's away. One
 * without peers sleeps by itself when nobody asked for it for a while.
 *
 * Threat: infohashes are public, so anybody may wake what he likes. Whoever takes nothing keeps no place, however often
 * he knocks; when every place is taken by torrents in use, a new one is not woken, and finding that out costs little.
 */
export class ActiveSet<T extends Awake> {
  readonly #options: ActiveSetOptions<T>
  readonly #byInfoHash = new Map<string, T>()
  readonly #recency = new Recency<T>()
  /** Places of torrents that are being woken. */
  #reserved = 0
  /** All were in use a moment ago: until then nobody looks again. */
  #fullUntil = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(options: ActiveSetOptions<T>) {
    this.#options = { ...options }
  }

  get size(): number {
    return this.#byInfoHash.size
  }

  get(infoHash: string): T | undefined {
    return this.#byInfoHash.get(infoHash)
  }

  /** Keeps a place for one more, in the stead of another if need be. @returns false when there is none to be had */
  reserve(): boolean {
    while (this.#byInfoHash.size + this.#reserved >= this.#options.maxActive) {
      const time = this.#options.now()
      if (time < this.#fullUntil) return false
      if (this.#makeRoom()) continue
      this.#fullUntil = time + this.#byInfoHash.size / looksPerMillisecond
      return false
    }
    this.#reserved++
    return true
  }

  /** The place that `reserve` kept is taken, or not needed after all. */
  settle(torrent?: T): void {
    this.#reserved--
    if (torrent !== undefined) this.add(torrent)
  }

  /** Takes a place even if there is none. */
  add(torrent: T): void {
    this.#byInfoHash.set(torrent.infoHash, torrent)
    this.#recency.add(torrent)
    if (this.#timer === undefined) this.#look(torrent.usedAt + this.#options.idleAfter)
  }

  delete(torrent: T): boolean {
    if (!this.#recency.delete(torrent)) return false
    this.#byInfoHash.delete(torrent.infoHash)
    return true
  }

  /** Applies at once: torrents that are too many go to sleep, and those in use as soon as they are not. */
  limit({ maxActive, idleAfter }: { maxActive: number; idleAfter: number }): void {
    this.#options.maxActive = maxActive
    this.#options.idleAfter = idleAfter
    this.#fullUntil = -Infinity
    this.#sleepIdle()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#byInfoHash.clear()
    for (const torrent of this.#recency) this.#recency.delete(torrent)
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#byInfoHash.values()
  }

  #makeRoom(): boolean {
    const { now, idleAfter } = this.#options
    const time = now()
    const [before, came] = [time - idleAfter, time - Math.min(firstAsk, idleAfter)]
    const idle = this.#recency.oldest(
      time,
      ({ pinned, hasPeers, tookAt, arrivedAt }) => !pinned && !(hasPeers && (tookAt > before || arrivedAt > came)),
    )
    if (idle !== undefined) this.#sleep(idle)
    return idle !== undefined
  }

  #sleep(torrent: T): void {
    this.delete(torrent)
    this.#options.sleep(torrent)
  }

  /** Each torrent is looked at once in `idleAfter` at most, so that all of them together need one timer and no scan. */
  #sleepIdle(): void {
    const { now, idleAfter, maxActive } = this.#options
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#byInfoHash.size > maxActive && this.#makeRoom());
    const time = now()
    for (let first = this.#recency.first(); first !== undefined; first = this.#recency.first()) {
      const { thing, at } = first
      if (at + idleAfter > time) return this.#look(at + idleAfter)
      if (thing.pinned || thing.hasPeers) this.#recency.place(thing, time)
      else this.#sleep(thing)
    }
  }

  #look(at: number): void {
    this.#timer = setTimeout(() => this.#sleepIdle(), Math.max(at - this.#options.now(), 0) + 1)
    this.#timer.unref()
  }
}
