import type { ItemFile, Manifest } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Library } from '../../library/index.ts'
import { Arrivals, type ArrivalsOptions } from '../fetching/arrivals.ts'
import { KnownContent, type KnownContentOptions } from './known-content.ts'
import type { RemoteFile } from '../port.ts'
import { Reading, type ReadingOptions } from './reading.ts'

/** Items fetched for readers at a time. */
const mostItems = 64

export interface ReadsOptions extends Pick<ArrivalsOptions, 'begin'>, Pick<ReadingOptions, 'published' | 'now'> {
  graph: KnownContentOptions['graph']
  contentDigest(files: readonly ItemFile[]): string
  library: Pick<Library, 'condition' | 'storage' | 'isPaused'>
  reads: { maxBytes: number; keepMs: number; waitMs: number }
  /** Whether the operator put the item away. */
  refuses(infoHash: string): boolean
  /** Whether somebody else is proven to have the item, whole. */
  isElsewhere(infoHash: string): boolean
  log: Logger
}

/** What is on its way here, and reads of it. */
export class Reads {
  readonly arrivals: Arrivals
  readonly #options: ReadsOptions
  readonly #content: KnownContent
  readonly #reading: Reading

  constructor(options: ReadsOptions) {
    this.#options = options
    this.arrivals = new Arrivals({
      ...options.reads,
      begin: (manifest: Manifest, publisher, before) => options.begin(manifest, publisher, before),
      maxItems: mostItems,
      failed: (error) => options.log.error({ err: error }, 'what was fetched for a reader could not be removed'),
    })
    this.#content = new KnownContent(options)
    this.#reading = new Reading({
      ...options,
      arrivals: this.arrivals,
      content: this.#content,
      admits: (infoHash) => this.#admits(infoHash),
      waitMs: options.reads.waitMs,
    })
  }

  /** See `Replication.remote`. */
  find(id: string, path?: string): Promise<RemoteFile | undefined> {
    return this.#reading.find(id, path)
  }

  async close(): Promise<void> {
    this.#content.close()
    await this.arrivals.close()
  }

  /**
   * What is here in part is mended, from what is left here and from others: a reader would hold on to a transfer that
   * began without them. Where somebody has the whole item nothing of what is left here is needed. What was put away
   * stays away.
   */
  #admits(infoHash: string): boolean {
    const { library, reads, refuses, isElsewhere } = this.#options
    const isHere = library.storage().state === 'here' && reads.maxBytes > 0
    if (!isHere || library.isPaused(infoHash) || refuses(infoHash)) return false
    const condition = library.condition(infoHash)
    return condition === undefined || (condition === 'damaged' && isElsewhere(infoHash))
  }
}
