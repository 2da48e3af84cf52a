import { aboutOf } from '@eldernode/core'
import type { Graph, ItemFile, Manifest, NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Digest, Item, Library, Staging } from '../library/index.ts'
import { readMetainfo, type Fetched, type Swarm } from '../swarm/index.ts'
import { checkFiles, fullFileList } from './file-list.ts'
import { ContentMismatchError, NoSourceError, TransferCancelledError } from './errors.ts'
import type { HolderClient } from './holder-client.ts'
import type { Room } from './room.ts'
import { slowed, Stall, type StallLimits } from './stall.ts'
import type { Sources } from './sources.ts'
import type { Job } from './transfers.ts'

export interface ItemFetcherOptions {
  graph: Pick<Graph, 'get'>
  library: Pick<Library, 'stage' | 'salvage' | 'commit'>
  swarm: Pick<Swarm, 'fetch' | 'downloadLimit'>
  client: Pick<HolderClient, 'metainfo' | 'files'>
  room: Room
  hash: Digest
  /** The SHA-256 of an item's content. */
  contentDigest(files: readonly ItemFile[]): string
  /** Live holders and the publisher, as addresses that may be dialled. */
  sources(infoHash: string, publisher: NodeId): Sources
  /** Whether the swarm asks trackers, and so may find an item where no member holds it: at a browser, say. */
  announces: boolean
  /** When a transfer is given up; `search` counts for one that has no source but what trackers name. */
  limits: StallLimits
  search: StallLimits
  log: Logger
}

/** Brings one item here: from the swarm into staging, verified against the manifest, and only then into the library. */
export class ItemFetcher {
  readonly #options: ItemFetcherOptions

  constructor(options: ItemFetcherOptions) {
    this.#options = options
  }

  /**
   * @returns the committed item
   * @throws TransferError and its kinds, FetchFailedError, DiskFullError; the abort reason when aborted
   */
  async fetch({ infoHash, publisher }: Job, signal: AbortSignal): Promise<Item> {
    const manifest = this.#options.graph.get('m', publisher, infoHash)?.body
    if (manifest?.state !== 'live') throw new TransferCancelledError(infoHash, 'its manifest is gone')
    const giveBack = await this.#options.room.reserve(infoHash, manifest.size)
    try {
      const sources = this.#options.sources(infoHash, publisher)
      if (isEmpty(sources) && !this.#options.announces) throw new NoSourceError(infoHash)
      const staging = await this.#options.library.stage()
      try {
        // Not for a mere search, which is repeated: copies cost the disk as much as downloads.
        if (!isEmpty(sources)) await this.#options.library.salvage(infoHash, staging)
        return await this.#fill(staging, manifest, publisher, sources, signal)
      } finally {
        await staging.discard()
      }
    } finally {
      giveBack()
    }
  }

  async #fill(
    staging: Staging,
    manifest: Manifest,
    publisher: NodeId,
    sources: Sources,
    signal: AbortSignal,
  ): Promise<Item> {
    const { client, library, contentDigest } = this.#options
    const files = await fullFileList(manifest, sources.holders, client, signal)
    const fetched = await this.#download(staging, manifest, sources, signal)
    checkFiles(manifest, files, fetched)
    await this.#verify(staging, manifest.infoHash, files, signal)
    const item: Item = {
      infoHash: manifest.infoHash,
      name: manifest.name,
      size: manifest.size,
      pieceLength: manifest.pieceLength,
      files,
      sha256: contentDigest(files),
      publisher,
      replicas: manifest.replicas,
      createdAt: manifest.createdAt,
      state: 'live',
      owner: '',
      access: manifest.access,
      about: aboutOf(manifest),
    }
    signal.throwIfAborted()
    return (await library.commit(staging, item, fetched.metainfo)).item
  }

  async #download(staging: Staging, manifest: Manifest, sources: Sources, signal: AbortSignal): Promise<Fetched> {
    const { swarm } = this.#options
    const { infoHash, size, pieceLength } = manifest
    const metainfo = await this.#metainfo(manifest, sources, signal)
    const stall = this.#stall(manifest, sources)
    try {
      return await swarm.fetch({
        infoHash,
        size,
        pieceLength,
        peers: sources.peers,
        webSeeds: sources.holders.map((base) => `${base}/v1/media/${infoHash}/ws/`),
        ...(metainfo === undefined ? {} : { metainfo }),
        onProgress: (received, verified) => stall.moved(received, verified),
        filePath: (index) => staging.filePath(index),
        signal: AbortSignal.any([signal, stall.signal]),
      })
    } finally {
      stall.clear()
    }
  }

  #stall(manifest: Manifest, sources: Sources): Stall {
    const { limits, search, swarm } = this.#options
    const limit = (): number => swarm.downloadLimit(manifest.infoHash)
    if (!isEmpty(sources)) return new Stall(slowed(limits, limit), manifest)
    return new Stall(slowed(search, limit), manifest, new NoSourceError(manifest.infoHash))
  }

  /** The first holder's .torrent that is what the manifest promises; without one the swarm asks its peers. */
  async #metainfo(manifest: Manifest, sources: Sources, signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (const base of sources.holders.slice(0, 4)) {
      try {
        const bytes = await this.#options.client.metainfo(base, manifest.infoHash, signal)
        readMetainfo(bytes, manifest)
        return bytes
      } catch (error) {
        signal.throwIfAborted()
        this.#options.log.debug({ err: error, infoHash: manifest.infoHash, holder: base }, 'no metainfo from a holder')
      }
    }
    return undefined
  }

  /**
   * Threat: pieces are checked against the infohash only; a publisher can sign other SHA-256 values than those of the
   * torrent's bytes, and readers trust them. Such an item is neither stored nor served.
   */
  async #verify(staging: Staging, infoHash: string, files: readonly ItemFile[], signal: AbortSignal): Promise<void> {
    for (const [index, file] of files.entries()) {
      const found = await this.#options.hash(staging.filePath(index), signal)
      signal.throwIfAborted()
      if (found.sha256 !== file.sha256 || found.size !== file.size) {
        throw new ContentMismatchError(`file ${index} of item ${infoHash} has not the SHA-256 that its manifest signs`)
      }
    }
  }
}

function isEmpty({ peers, holders }: Sources): boolean {
  return peers.length + holders.length === 0
}
