import type { ItemFile, Manifest, NodeId } from '@eldernode/core'
import type { Arrivals } from '../fetching/arrivals.ts'
import { ArrivingBytes, within } from './arriving-bytes.ts'
import type { KnownContent } from './known-content.ts'
import type { ByteRange, RemoteBytes, RemoteFile } from '../port.ts'

export interface ReadingOptions {
  arrivals: Pick<Arrivals, 'read'>
  content: Pick<KnownContent, 'find' | 'contentOf'>
  /** Whose live manifest the item has, if anybody's. */
  published(infoHash: string): { publisher: NodeId; manifest: Manifest } | undefined
  /** Whether it may be fetched at all: what the operator put away is not, nor what is to be mended. */
  admits(infoHash: string): boolean
  /** Milliseconds in which something of what is read must arrive. */
  waitMs: number
  now(): number
}

/** Finds what this node does not hold and may read from those who do. */
export class Reading {
  readonly #options: ReadingOptions

  constructor(options: ReadingOptions) {
    this.#options = options
  }

  /**
   * The file at `path`, or the first, of the item with that infohash, or one with that SHA-256.
   * @throws TransferError and its kinds when a long list of files cannot be had
   */
  async find(id: string, path?: string): Promise<RemoteFile | undefined> {
    const published = id.length === 40 ? this.#options.published(id) : await this.#byContent(id)
    const infoHash = published?.manifest.infoHash ?? ''
    if (published === undefined || !this.#options.admits(infoHash)) return undefined
    const { manifest } = published
    // Also where this node was made a reader: decrypting takes a copy that is held, and what arrives is encrypted.
    if (manifest.access === 'private' || (manifest.expiresAt ?? Infinity) <= this.#options.now()) return undefined
    const listed = path === undefined ? manifest.files[0] : manifest.files.find((file) => file.path === path)
    const isListed = listed !== undefined || manifest.filesDigest === undefined
    const file = isListed ? listed : (await this.#list(published)).find((one) => one.path === path)
    return {
      infoHash,
      name: manifest.name,
      createdAt: manifest.createdAt,
      owner: '',
      access: manifest.access,
      alone: manifest.files.length === 1 && manifest.filesDigest === undefined,
      files: manifest.files,
      file,
      open: (ranges, signal) => this.#open(published, file, ranges, signal),
    }
  }

  async #byContent(sha256: string): Promise<Published | undefined> {
    const { content, published } = this.#options
    for (const infoHash of await content.find(sha256)) {
      const found = published(infoHash)
      if (found !== undefined && content.contentOf(found.manifest) === sha256) return found
    }
    return undefined
  }

  async #list({ manifest, publisher }: Published): Promise<ItemFile[]> {
    const { arrival, leave } = this.#options.arrivals.read(manifest, publisher)
    try {
      return await within(arrival.files, new AbortController().signal, this.#options.waitMs, manifest.infoHash)
    } finally {
      await leave()
    }
  }

  async #open(
    { manifest, publisher }: Published,
    file: ItemFile | undefined,
    ranges: readonly ByteRange[],
    signal: AbortSignal,
  ): Promise<RemoteBytes> {
    const { arrivals, waitMs } = this.#options
    const use = arrivals.read(manifest, publisher)
    let files: ItemFile[]
    try {
      files = await within(use.arrival.files, signal, waitMs, manifest.infoHash)
    } catch (error) {
      await use.leave()
      throw error
    }
    const index = files.findIndex(({ path }) => path === file?.path)
    const known = files[index]
    if (known === undefined) {
      await use.leave()
      throw new RangeError(`item ${manifest.infoHash} has no such file`)
    }
    const offset = files.slice(0, index).reduce((sum, { size }) => sum + size, 0)
    return await ArrivingBytes.open({ use, index, file: known, offset, ranges, waitMs, signal })
  }
}

interface Published {
  publisher: NodeId
  manifest: Manifest
}
