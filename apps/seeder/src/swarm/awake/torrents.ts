import { ActiveSet } from './active-set.ts'
import type { ActiveTorrent } from './active-torrent.ts'
import type { Progress } from '../announcer/index.ts'
import { FetchFailedError } from '../errors.ts'
import { Items } from './items.ts'
import { Opening } from './opening.ts'
import type { OpeningOptions } from './opening.ts'
import type { FetchRequest, Shelf, SwarmLimits } from '../port.ts'
import { Waking } from './waking.ts'

export interface TorrentsOptions extends Omit<OpeningOptions, 'failed'> {
  shelf: Shelf
}

/** The torrents of this node, asleep, awake and being fetched, and how each goes over from one to the other. */
export class Torrents {
  readonly #options: TorrentsOptions
  readonly #items = new Items()
  /** Seeded torrents that are awake, and those being fetched. */
  readonly #active: ActiveSet<ActiveTorrent>
  readonly #opening: Opening
  readonly #waking: Waking

  constructor(options: TorrentsOptions) {
    const { allowance, shelf, logger } = options
    const { limits, now } = allowance
    this.#options = options
    this.#active = new ActiveSet({ ...limits, now, sleep: (torrent) => void this.#end(torrent) })
    this.#opening = new Opening({
      ...options,
      failed: (torrent) => {
        if (this.#active.delete(torrent)) void this.#end(torrent)
      },
    })
    this.#waking = new Waking({ shelf, active: this.#active, open: (whole) => this.#opening.whole(whole), logger })
  }

  /** All that are seeded or being fetched, each in its slot. */
  get items(): Items {
    return this.#items
  }

  get awake(): number {
    return this.#active.size
  }

  /** Wakings refused since start because every place was in use. */
  get wakesRefused(): number {
    return this.#waking.refused
  }

  /** One that is awake, or being fetched. */
  find(infoHash: string): ActiveTorrent | undefined {
    return this.#active.get(infoHash)
  }

  /** One that somebody asks for: woken if it sleeps. */
  async wake(infoHash: string): Promise<ActiveTorrent | undefined> {
    const known = this.#active.get(infoHash)
    if (known !== undefined) known.askedAt = this.#options.allowance.now()
    if (known !== undefined || !this.#items.isSeeded(infoHash)) return known
    return this.#waking.wake(infoHash)
  }

  /** The one that an encrypted handshake names. */
  async wakeByObfuscated(hash: string): Promise<ActiveTorrent | undefined> {
    const infoHash = this.#items.byObfuscated(hash)
    return infoHash === undefined ? undefined : this.wake(infoHash)
  }

  /** One that is needed for as long as `work` goes on. @throws FetchFailedError when it is not seeded, or cannot wake */
  async use<T>(infoHash: string, work: (active: ActiveTorrent) => Promise<T>): Promise<T> {
    const active = this.#items.isSeeded(infoHash) ? await this.wake(infoHash) : undefined
    if (active === undefined) throw new FetchFailedError(infoHash, 'it is not seeded, or cannot be woken now')
    const unpin = active.pin()
    try {
      return await work(active)
    } finally {
      unpin()
    }
  }

  /** @returns false when it was seeded already. @throws FetchFailedError while it is being fetched */
  seed(infoHash: string): boolean {
    if (this.#items.isSeeded(infoHash)) return false
    if (this.#items.has(infoHash)) throw new FetchFailedError(infoHash, 'it is being fetched')
    return this.#items.seed(infoHash)
  }

  /** Its metainfo must have been checked. @throws FetchFailedError when it is seeded or being fetched */
  fetch(request: FetchRequest): ActiveTorrent {
    const { infoHash, size = 0 } = request
    if (this.#items.has(infoHash)) throw new FetchFailedError(infoHash, 'it is seeded or fetched already')
    const active = this.#opening.fetch(request)
    active.size = size
    this.#items.fetch(infoHash)
    this.#active.add(active)
    return active
  }

  async remove(infoHash: string): Promise<void> {
    const known = this.#active.get(infoHash)
    this.#waking.forget(infoHash)
    this.#items.delete(infoHash)
    if (known === undefined) return
    this.#active.delete(known)
    await this.#end(known)
  }

  limit(limits: SwarmLimits): void {
    this.#active.limit(limits)
    for (const torrent of this.#active) torrent.limit(limits.maxConnsPerItem)
  }

  /** What trackers are told; undefined when it is gone. */
  progress(infoHash: string): Progress | undefined {
    if (!this.#items.has(infoHash)) return undefined
    const active = this.#active.get(infoHash)
    if (active?.fetching !== true) {
      const { torrent, pieces } = active ?? {}
      return {
        uploaded: this.#items.uploaded(infoHash) + (torrent?.uploaded ?? 0),
        downloaded: torrent?.received ?? 0,
        left: pieces?.wrongBytes ?? 0,
      }
    }
    const { torrent, size } = active
    const left = torrent.done ? 0 : Math.max(size - torrent.downloaded, 1)
    return { uploaded: torrent.uploaded, downloaded: torrent.received, left }
  }

  close(): void {
    this.#waking.close()
    for (const active of this.#active) this.#tell(active)
    this.#active.close()
  }

  /** When the pieces of one that was awake were found right. */
  #tell({ infoHash, held, pieces }: ActiveTorrent): void {
    const { ledger, logger } = this.#options
    const times = held && pieces?.proofs.times
    try {
      if (times !== undefined) ledger.verified(infoHash, times)
    } catch (error) {
      logger.warn({ infoHash, err: error }, 'when the pieces of an item were verified was not noted')
    }
  }

  async #end(active: ActiveTorrent): Promise<void> {
    const { allowance, logger } = this.#options
    const { infoHash } = active
    this.#items.addUploaded(infoHash, active.torrent.uploaded)
    allowance.readAhead.forget(infoHash)
    this.#tell(active)
    await active.end().catch((error: unknown) => logger.warn({ infoHash, err: error }, 'a torrent could not be ended'))
  }
}
