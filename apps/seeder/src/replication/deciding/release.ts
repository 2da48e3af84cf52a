import type { Demand } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Library } from '../../library/index.ts'
import type { Swarm } from '../../swarm/index.ts'
import type { Turns } from '../../turns.ts'
import type { ReleaseEvent } from '../port.ts'
import type { Serving } from './serving.ts'

export interface ReleaseOptions {
  library: Pick<Library, 'head' | 'remove' | 'storage'>
  swarm: Pick<Swarm, 'remove'>
  serving: Pick<Serving, 'forget'>
  turns: Pick<Turns, 'take'>
  /** Whether the copy may go, as things stand now. */
  goes(infoHash: string): boolean
  /** Told when the copy is gone. */
  gone(infoHash: string): void
  /** Told of each copy that went, for who listens. */
  released?(event: ReleaseEvent): void
  /** Has the item decided on anew. */
  touch(infoHash: string): void
  now: () => number
  log: Logger
}

/** Gives copies up that the network has enough of: ends their serving and removes their bytes. */
export class Release {
  readonly #options: ReleaseOptions
  readonly #running = new Map<string, Promise<void>>()
  #items = 0
  #bytes = 0

  constructor(options: ReleaseOptions) {
    this.#options = options
  }

  /** Since start. */
  get done(): { items: number; bytes: number } {
    return { items: this.#items, bytes: this.#bytes }
  }

  /** Once more while it runs changes nothing. */
  go(demand: Demand): void {
    const { turns, log } = this.#options
    const { infoHash } = demand
    if (this.#running.has(infoHash)) return
    const work = turns
      .take(infoHash, () => this.#go(demand))
      .catch((error: unknown) => log.error({ err: error, infoHash }, 'a surplus copy could not be removed'))
      .finally(() => this.#running.delete(infoHash))
    this.#running.set(infoHash, work)
  }

  /** Resolves when nothing is being removed any more. */
  async close(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #go({ infoHash, size }: Demand): Promise<void> {
    const { library, swarm, serving, goes, gone, touch, released, now, log } = this.#options
    const isHere = (): boolean => library.storage().state === 'here' && library.head(infoHash)?.state === 'live'
    const { owner = '', access = 'private' } = library.head(infoHash) ?? {}
    if (!isHere()) return
    if (!goes(infoHash)) return touch(infoHash)
    await swarm.remove(infoHash)
    // It may have been pinned, wanted again or taken down meanwhile. Until here it is said to be held, and about to go.
    if (!isHere()) return
    if (!goes(infoHash)) return touch(infoHash)
    await library.remove(infoHash)
    gone(infoHash)
    // A pass may have offered it in between.
    await serving.forget(infoHash)
    touch(infoHash)
    this.#items++
    this.#bytes += size
    released?.({ type: 'released', infoHash, owner, access, at: now(), data: { size } })
    log.info({ infoHash, size }, 'released a copy that the network has enough others of')
  }
}
