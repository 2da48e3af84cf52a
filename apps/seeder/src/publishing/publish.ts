import type { About, Access, Graph, NodeId, Replicas } from '@eldernode/core'
import type { Quotas } from '../access/index.ts'
import type { Draft, Encryption } from '../encryption/index.ts'
import type { IncomingFile, Ingest, Ingested, RunningHash } from '../ingest/index.ts'
import type { Item, Library } from '../library/index.ts'
import { isDescribable } from '../media/index.ts'
import type { Swarm } from '../swarm/index.ts'
import { ItemDeniedError } from './errors.ts'
import { manifestOf } from './manifest.ts'
import { metered } from './metered.ts'
import { assertFree, takeOver } from './take-over.ts'
import type { Turns } from '../turns.ts'

/** What publishing works with. */
export interface PublishingServices {
  id: NodeId
  ingest: Ingest
  library: Library
  encryption: Encryption
  swarm: Pick<Swarm, 'seed'>
  graph: Pick<Graph, 'get' | 'publish'>
  /** `claim`: ends the transfer and the refusal of an item; `touch`: has it served or not, as its manifests say. */
  replication: { claim(infoHash: string): Promise<void>; touch(infoHash: string): void }
  turns: Turns
  quotas: Pick<Quotas, 'admit'>
  trackers: readonly string[]
  /** Told when an item is there that will expire, or a retracted one is live again. */
  retentionChanged(): void
  /** Told when a new item waits to be described. */
  describe(): void
  now: () => number
}

/** One item to be published. Who asks may do so, and is `owner`: that is checked before. */
export interface Upload {
  name?: string
  owner: string
  access: Access
  about?: About
  replicas: Replicas
  /** The bytes are encrypted before they touch a disk; `readers`: age recipients besides the owner. */
  encrypt?: { readers: string[] }
  /** The media type that the publisher takes it for. */
  declaredType?: string
  /** Expected SHA-256 of the bytes sent; see `Ingested.sha256`. */
  sha256?: string
  expectedSize?: number
  disposable?: boolean
  /** See `IngestOptions.hashed`. */
  hashed?: RunningHash
  signal: AbortSignal
}

/**
 * The way of one upload. When it resolves, the item is durable, seeded and announced.
 * @throws StorageFullError, StorageQuotaExceededError, ItemQuotaExceededError, DailyQuotaExceededError, at the latest when a byte too many
 * arrives; what the ingest throws
 */
export async function publish(
  services: PublishingServices,
  files: AsyncIterable<IncomingFile>,
  upload: Upload,
): Promise<Published> {
  // A preview is small, and made for an item that was admitted.
  if (upload.about?.previewOf !== undefined) return await receive(services, files, upload)
  const allowance = services.quotas.admit(upload.owner, upload.expectedSize, known(upload))
  try {
    return await receive(services, metered(files, allowance), upload, () => allowance.end())
  } finally {
    allowance.end()
  }
}

/** What is encrypted is stored under a key of its own, whatever is here of it. */
export const known = ({ sha256, encrypt }: Pick<Upload, 'sha256' | 'encrypt'>): { sha256?: string } =>
  sha256 === undefined || encrypt !== undefined ? {} : { sha256 }

async function receive(
  services: PublishingServices,
  files: AsyncIterable<IncomingFile>,
  { owner, access, about, replicas, encrypt, signal, ...options }: Upload,
  committed?: () => void,
): Promise<Published> {
  const { ingest, encryption } = services
  const draft = encrypt && (await encryption.begin({ owner, access, readers: encrypt.readers }))
  const ingested = await ingest.receive(files, { ...options, ...(draft && { sealing: draft.sealing }), signal })
  const rest = { owner, access, ...(about && { about }), replicas, signal, ...(committed && { committed }) }
  const { plain } = ingested
  if (draft === undefined || plain === undefined) return await publishIngested(services, ingested, rest)
  return await encryption.once(owner, plain.sha256, async () => {
    const twin = await encryption.twin(owner, access, plain)
    if (twin === undefined) return await publishIngested(services, ingested, { ...rest, draft })
    await ingested.staging.discard()
    await encryption.grants.add(twin.infoHash, encrypt?.readers ?? [])
    return { item: twin, created: false }
  })
}

export interface Published {
  item: Item
  created: boolean
}

/**
 * How bytes in staging are published; `draft`: they were encrypted by it; `committed`: called as the item comes to be in
 * the catalog, where its owner's use counts it.
 */
export interface Publication extends Pick<Upload, 'owner' | 'access' | 'about' | 'replicas' | 'signal'> {
  draft?: Draft
  committed?: () => void
}

/** The rest of that way, for bytes that lie in staging. Their folder is gone when this is over. */
export async function publishIngested(
  services: PublishingServices,
  ingested: Ingested,
  { owner, access, about = {}, replicas, signal, draft, committed }: Publication,
): Promise<Published> {
  const { library, encryption, replication, swarm, graph, id, turns, trackers, retentionChanged, now } = services
  try {
    signal.throwIfAborted()
    if (graph.get('d', id, ingested.infoHash)?.body.state === 'denied') throw new ItemDeniedError(ingested.infoHash)
    const sealed = draft && ingested.plain && (await draft.finish(ingested.plain, about))
    const said = { owner, access, about: sealed?.about ?? about, replicas }
    const described = describe(ingested, { publisher: id, ...said, createdAt: now() })
    const isMedia = isDescribable(described, ingested.plain)
    const options = { describe: isMedia, ...(sealed && { key: sealed.key }), ...(committed && { committed }) }
    if (sealed === undefined) assertFree(library, ingested.infoHash, said)
    // The turn begins before the commit: a copy that was here must not be given up in between.
    const published = await turns.take(ingested.infoHash, async () => {
      const { item, created } = await library.commit(ingested.staging, described, ingested.metainfo, options)
      let live: Item = { ...withoutPurge(item), state: 'live' }
      const held = library.record(item.infoHash)
      if (held !== undefined) live = { ...withoutPurge(takeOver(services, held, said)), state: 'live' }
      if (library.record(item.infoHash)?.state === 'retracted') {
        library.restore(item.infoHash)
        retentionChanged()
      }
      await replication.claim(item.infoHash)
      if (!library.isPaused(item.infoHash)) swarm.seed(item.infoHash)
      if (graph.get('m', id, item.infoHash)?.body.state !== 'live') {
        await graph.publish('m', item.infoHash, manifestOf({ ...live, replicas }, trackers))
      }
      if (sealed !== undefined) await encryption.grants.publish(item.infoHash)
      // A decision that still saw the retraction may have come between.
      if (library.get(item.infoHash)?.state === 'retracted') library.restore(item.infoHash)
      return { item: live, created }
    })
    replication.touch(published.item.infoHash)
    if (isMedia) services.describe()
    if (published.item.about.expiresAt !== undefined) retentionChanged()
    return published
  } finally {
    await ingested.staging.discard()
  }
}

function describe(
  { infoHash, name, size, pieceLength, files, sha256 }: Ingested,
  rest: Pick<Item, 'publisher' | 'replicas' | 'createdAt' | 'owner' | 'access' | 'about'>,
): Item {
  return { infoHash, name, size, pieceLength, files, sha256, ...rest, state: 'live' }
}

function withoutPurge({ purgeAfter: _purgeAfter, ...item }: Item): Item {
  return item
}
