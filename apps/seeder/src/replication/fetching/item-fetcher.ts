import { aboutOf } from '@eldernode/core'
import type { Graph, ItemFile, Manifest, NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Digest, Item, Library, Staging } from '../../library/index.ts'
import { readMetainfo, type Fetched, type Swarm } from '../../swarm/index.ts'
import { Arrival, type ArrivalHooks, type Whole } from './arrival.ts'
import type { Arrivals } from './arrivals.ts'
import { checkFiles, fullFileList } from './file-list.ts'
import { ContentMismatchError, NoSourceError, PoisonedError, TransferCancelledError } from '../errors.ts'
import type { HolderClient } from './holder-client.ts'
import type { Room } from '../members/room.ts'
import type { SmallItems } from './small-items.ts'
import { slowed, Stall, type StallLimits } from './stall.ts'
import type { Sources } from './sources.ts'
import type { Job } from './job.ts'

export interface ItemFetcherOptions {
  graph: Pick<Graph, 'get'>
  library: Pick<Library, 'stage' | 'salvage' | 'commit' | 'blobPath'>
  swarm: Pick<Swarm, 'fetch' | 'downloadLimit'>
  client: Pick<HolderClient, 'metainfo' | 'files'>
  arrivals: Pick<Arrivals, 'keep' | 'has'>
  small: Pick<SmallItems, 'takes' | 'fetch'>
  room: Room
  hash: Digest
  /** The SHA-256 of an item's content. */
  contentDigest(files: readonly ItemFile[]): string
  /** Live holders and the publisher, as addresses that may be dialled. */
  sources(infoHash: string, publisher: NodeId): Sources
  /** Whose manifests of the item are live. */
  signers(infoHash: string): NodeId[]
  /** Told of a source, as `sources` gave it, whose bytes were not the item's. */
  poisoned(infoHash: string, source: string): void
  /** Whether the swarm asks trackers, and so may find an item where no member holds it: at a browser, say. */
  announces: boolean
  /** When a transfer is given up; `search` counts for one that has no source but what trackers name. */
  limits: StallLimits
  search: StallLimits
  log: Logger
}

/** Manifests of one item that are tried, when their bytes are not what they say. */
const mostSigners = 4

/**
 * Brings items here: from the swarm into staging, verified against the manifest, and only then into the library.
 *
 * Threat: pieces are checked against the infohash only; a publisher can sign other SHA-256 values than those of the
 * torrent's bytes, and readers trust them. Such an item is neither stored nor served.
 */
export class ItemFetcher {
  readonly #options: ItemFetcherOptions

  constructor(options: ItemFetcherOptions) {
    this.#options = options
  }

  /**
   * @param came told of the item's bytes that came, also when it fails
   * @returns the committed item
   * @throws TransferError and its kinds, FetchFailedError, DiskFullError; the abort reason when aborted
   */
  async fetch(job: Job, came: (bytes: number) => void, signal: AbortSignal): Promise<Item> {
    const { signers } = this.#options
    let mismatch: unknown
    // One who signs what is not so must not keep away what another signed of the same torrent.
    for (const publisher of new Set([job.publisher, ...signers(job.infoHash).slice(0, mostSigners)])) {
      try {
        return await this.#fetchAs({ ...job, publisher }, came, signal)
      } catch (error) {
        if (!(error instanceof ContentMismatchError)) throw error
        mismatch = error
      }
    }
    throw mismatch
  }

  async #fetchAs({ infoHash, publisher }: Job, came: (bytes: number) => void, signal: AbortSignal): Promise<Item> {
    const { arrivals, graph } = this.#options
    signal.throwIfAborted()
    const manifest = graph.get('m', publisher, infoHash)?.body
    if (manifest?.state !== 'live') throw new TransferCancelledError(infoHash, 'its manifest is gone')
    const small = await this.#fetchSmall(manifest, publisher, came, signal)
    if (small !== undefined) return small
    const { arrival, leave } = arrivals.keep(manifest, publisher)
    const before = arrival.received
    const stall = this.#stall(manifest, this.#options.sources(infoHash, publisher))
    arrival.onProgress = (received, verified) => stall.moved(received, verified)
    try {
      const whole = await unlessAborted(everything(arrival), AbortSignal.any([signal, stall.signal]))
      return await this.#commit(manifest, publisher, whole)
    } finally {
      stall.clear()
      arrival.onProgress = undefined
      came(arrival.received - before)
      await leave()
    }
  }

  /** Without the swarm. @returns `undefined` when no holder gave it, or it is on its way here already */
  async #fetchSmall(
    manifest: Manifest,
    publisher: NodeId,
    came: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Item | undefined> {
    const { arrivals, small, sources } = this.#options
    if (!small.takes(manifest) || arrivals.has(manifest.infoHash)) return undefined
    const { holders } = sources(manifest.infoHash, publisher)
    const whole = holders.length === 0 ? undefined : await small.fetch(manifest, holders, came, signal)
    return whole && (await this.#commit(manifest, publisher, whole))
  }

  /** Begins to bring an item into staging, nothing of it wanted yet, once `before` has settled. */
  begin(manifest: Manifest, publisher: NodeId, before: Promise<void>): Arrival {
    const { client, library, hash } = this.#options
    const { infoHash } = manifest
    let sources: Sources = { peers: [], holders: [] }
    return new Arrival(manifest, {
      stage: async () => {
        await before
        const giveBack = await this.#options.room.reserve(infoHash, manifest.size)
        try {
          sources = this.#options.sources(infoHash, publisher)
          if (isEmpty(sources) && !this.#options.announces) throw new NoSourceError(infoHash)
          const staging = promised(await library.stage(), giveBack)
          // Not for a mere search, which is repeated: copies cost the disk as much as downloads.
          if (!isEmpty(sources)) await library.salvage(infoHash, staging)
          return staging
        } catch (error) {
          giveBack()
          throw error
        }
      },
      list: (signal) => fullFileList(manifest, sources.holders, client, signal),
      download: (staging, hooks, signal) => this.#download(staging, { manifest, publisher, sources }, hooks, signal),
      verify: async (staging, index, file, signal) => {
        const found = await hash(staging.filePath(index), signal)
        signal.throwIfAborted()
        if (found.sha256 === file.sha256 && found.size === file.size) return
        throw new ContentMismatchError(`file ${index} of item ${infoHash} has not the SHA-256 that its manifest signs`)
      },
      check: (files, fetched) => checkFiles(manifest, files, fetched),
      blobPath: (sha256) => library.blobPath(sha256),
    })
  }

  async #commit(manifest: Manifest, publisher: NodeId, { staging, files, fetched }: Whole): Promise<Item> {
    const item: Item = {
      infoHash: manifest.infoHash,
      name: manifest.name,
      size: manifest.size,
      pieceLength: manifest.pieceLength,
      files,
      sha256: this.#options.contentDigest(files),
      publisher,
      replicas: manifest.replicas,
      createdAt: manifest.createdAt,
      state: 'live',
      owner: '',
      access: manifest.access,
      about: aboutOf(manifest),
    }
    return (await this.#options.library.commit(staging, item, fetched.metainfo)).item
  }

  async #download(
    staging: Staging,
    { manifest, publisher, sources }: { manifest: Manifest; publisher: NodeId; sources: Sources },
    hooks: ArrivalHooks,
    signal: AbortSignal,
  ): Promise<Fetched> {
    const { infoHash, size, pieceLength } = manifest
    const spoiled = new AbortController()
    const poisoned = (given: string): void => {
      this.#options.poisoned(infoHash, sourceOf(given, infoHash))
      if (isEmpty(this.#options.sources(infoHash, publisher)))
        spoiled.abort(new PoisonedError(infoHash, 'every holder'))
    }
    const metainfo = await this.#metainfo(manifest, sources, signal)
    return await this.#options.swarm.fetch({
      infoHash,
      size,
      pieceLength,
      peers: sources.peers,
      webSeeds: sources.holders.map((base) => base + webSeedPath(infoHash)),
      ...(metainfo === undefined ? {} : { metainfo }),
      ...hooks,
      poisoned,
      filePath: (index) => staging.filePath(index),
      signal: AbortSignal.any([signal, spoiled.signal]),
    })
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
}

/** Has all of it fetched, for who keeps a copy. */
async function everything(arrival: Arrival): Promise<Whole> {
  const end = (await arrival.picks).all()
  try {
    return await arrival.whole
  } finally {
    end()
  }
}

/** @throws the abort reason, at once */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = (): void => reject(signal.reason)
  // Whatever becomes of the work has a listener, even when nobody waits for it any more.
  work.then(resolve, reject)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Staging whose room is given back when it is discarded. */
function promised(staging: Staging, giveBack: () => void): Staging {
  return {
    folder: staging.folder,
    filePath: (index) => staging.filePath(index),
    discard: async () => {
      await staging.discard()
      giveBack()
    },
  }
}

function webSeedPath(infoHash: string): string {
  return `/v1/media/${infoHash}/ws/`
}

/** What the swarm was given, as `sources` gave it. */
function sourceOf(given: string, infoHash: string): string {
  return given.endsWith(webSeedPath(infoHash)) ? given.slice(0, -webSeedPath(infoHash).length) : given
}

function isEmpty({ peers, holders }: Sources): boolean {
  return peers.length + holders.length === 0
}
