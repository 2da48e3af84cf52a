import type { Logger } from 'pino'
import type { ActiveSet } from './active-set.ts'
import type { ActiveTorrent } from './active-torrent.ts'
import type { Shelf, WholeTorrent } from '../port.ts'

export interface WakingOptions {
  shelf: Shelf
  active: ActiveSet<ActiveTorrent>
  /** Makes a torrent that answers peers. */
  open: (whole: WholeTorrent) => Promise<ActiveTorrent>
  logger: Logger
}

/** Milliseconds that a peer's handshake may wait for the disk. */
const timeLimit = 10_000

/** Askings of the shelf that are not answered, though nobody waits for them any more. */
const maxOverdue = 1_000

/** Wakes seeded torrents: each once, however many ask for it at a time. */
export class Waking {
  readonly #options: WakingOptions
  readonly #waking = new Map<string, Promise<ActiveTorrent | undefined>>()
  #overdue = 0
  #refused = 0

  constructor(options: WakingOptions) {
    this.#options = options
  }

  /** Wakings refused because every place was in use. */
  get refused(): number {
    return this.#refused
  }

  /** @returns undefined when the shelf lacks it, fails or takes too long, when there is no room, or after `forget` */
  wake(infoHash: string): Promise<ActiveTorrent | undefined> {
    const { active, logger } = this.#options
    const known = this.#waking.get(infoHash)
    if (known !== undefined) return known
    if (this.#overdue >= maxOverdue || !active.reserve()) {
      this.#refused++
      logger.debug({ infoHash }, 'an item was not woken: every place is in use')
      return Promise.resolve(undefined)
    }
    const waking: Promise<ActiveTorrent | undefined> = this.#wake(infoHash, () => this.#waking.get(infoHash) === waking)
    this.#waking.set(infoHash, waking)
    return waking
  }

  /** A torrent that is being woken, is not after all. */
  forget(infoHash: string): void {
    this.#waking.delete(infoHash)
  }

  close(): void {
    this.#waking.clear()
  }

  async #wake(infoHash: string, isWanted: () => boolean): Promise<ActiveTorrent | undefined> {
    const { active, open, logger } = this.#options
    let woken: ActiveTorrent | undefined
    try {
      const whole = await this.#find(infoHash)
      const opened = whole === undefined || !isWanted() ? undefined : await open(whole)
      if (opened === undefined || isWanted()) woken = opened
      else await opened.end()
    } catch (error) {
      logger.warn({ infoHash, err: error }, 'an item could not be woken')
    } finally {
      active.settle(woken)
      if (isWanted()) this.#waking.delete(infoHash)
    }
    return woken
  }

  #find(infoHash: string): Promise<WholeTorrent | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`the shelf did not answer within ${timeLimit / 1000} s`))
      }, timeLimit)
      this.#overdue++
      this.#options.shelf
        .open(infoHash)
        .then(resolve, reject)
        .finally(() => {
          this.#overdue--
          clearTimeout(timer)
        })
    })
  }
}
