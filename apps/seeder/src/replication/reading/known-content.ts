import type { Accepted, Graph, ItemFile, Manifest } from '@eldernode/core'
import { ContentTable } from './content-table.ts'
import { Slices } from '../slices.ts'

export interface KnownContentOptions {
  graph: Pick<Graph, 'entries' | 'watch'>
  /** The SHA-256 of an item's content. */
  contentDigest(files: readonly ItemFile[]): string
}

/** Finds items of the network by the SHA-256 of their content. Nothing is read or kept before somebody asks. */
export class KnownContent {
  readonly #options: KnownContentOptions
  readonly #table = new ContentTable()
  #read: Promise<void> | undefined
  #unwatch: (() => void) | undefined
  #closed = false

  constructor(options: KnownContentOptions) {
    this.#options = options
  }

  /** Infohashes of items that may have that content. */
  async find(sha256: string): Promise<string[]> {
    this.#read ??= this.#readAll().catch((error: unknown) => {
      // The next question tries again.
      this.#read = undefined
      this.#unwatch?.()
      throw error
    })
    await this.#read
    return this.#table.find(sha256)
  }

  /** The content of an item; `undefined` when its manifest does not say, or it is nobody's to ask for. */
  contentOf({ access, files, filesDigest }: Manifest): string | undefined {
    return access === 'private' || filesDigest !== undefined ? undefined : this.#options.contentDigest(files)
  }

  close(): void {
    this.#closed = true
    this.#unwatch?.()
  }

  async #readAll(): Promise<void> {
    const { graph } = this.#options
    this.#unwatch = graph.watch('m', (value) => this.#learn(value))
    const slices = new Slices()
    for (const value of graph.entries('m')) {
      this.#learn(value)
      if (!slices.over) continue
      await slices.next()
      if (this.#closed) return
    }
  }

  #learn({ body }: Pick<Accepted<Manifest>, 'body'>): void {
    const sha256 = body.state === 'live' ? this.contentOf(body) : undefined
    if (sha256 !== undefined) this.#table.add(sha256, body.infoHash)
  }
}
