import type { Preview } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item, Library } from '../library/index.ts'

export interface OrphansOptions {
  library: Pick<Library, 'about' | 'record' | 'descriptions'>
  /** Previews that an item names. */
  previews(item: Item): Promise<readonly Preview[] | undefined>
  /** Takes a preview down that nothing names any more, if this node published it. */
  collect(infoHash: string): Promise<void>
  now: () => number
  log: Logger
}

/** A start has better things to do. */
const firstMs = 60_000
const everyMs = 3_600_000
/** An item's previews are published before the item names them. */
const graceMs = 3_600_000
const atOnce = 100

/**
 * Finds previews that stand for nothing: their item is gone or retracted, or names others. A crash between two steps leaves
 * such ones behind.
 */
export class Orphans {
  readonly #options: OrphansOptions
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined
  #closed = false

  constructor(options: OrphansOptions) {
    this.#options = options
  }

  start(): void {
    this.#plan(firstMs)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#work
  }

  #plan(wait: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#work = this.#round().finally(() => this.#plan(everyMs))
    }, wait)
  }

  async #round(): Promise<void> {
    const { library, collect, log } = this.#options
    try {
      let position = ''
      for (;;) {
        const page = library.about.previews(position, atOnce)
        for (const { infoHash, state, previewOf } of page) {
          if (this.#closed) return
          if (state !== 'live' || !(await this.#isOrphan(infoHash, previewOf))) continue
          log.info({ infoHash, previewOf }, 'a preview stands for nothing any more')
          await collect(infoHash)
        }
        position = page.at(-1)?.infoHash ?? position
        if (page.length < atOnce) return
      }
    } catch (error) {
      log.error({ err: error }, 'previews that stand for nothing could not be collected; tried again in an hour')
    }
  }

  async #isOrphan(infoHash: string, previewOf: string): Promise<boolean> {
    const { library, previews, now } = this.#options
    const created = library.record(infoHash)?.createdAt ?? Infinity
    if (created > now() - graceMs || library.descriptions.has(previewOf)) return false
    const parent = library.record(previewOf)
    if (parent?.state !== 'live') return true
    return !((await previews(parent)) ?? []).some((preview) => preview.infoHash === infoHash)
  }
}
