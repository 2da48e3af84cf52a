import { availableParallelism } from 'node:os'
import type { MediaDetails, Preview } from '@eldernode/core'
import { NoIdentityError } from '../encryption/index.ts'
import type { Item } from '../library/index.ts'
import {
  type Describer,
  type DescriberOptions,
  type MadePreview,
  MediaDescriber,
  type PlainItem,
} from '../media/index.ts'
import { StalePreviewError } from './errors.ts'
import { manifestOf } from './manifest.ts'
import { publish, type PublishingServices } from './publish.ts'
import { type LifeServices, restore, withdraw } from './retract.ts'

/**
 * Publishes a preview as a small item of its own, as visible as the item that it is of; that of an encrypted item is
 * private, for the same readers. Its name holds that item's infohash: two items never share a preview, which goes with
 * one of them.
 */
async function publishPreview(
  services: PublishingServices,
  described: Item,
  { kind, bytes, extension }: MadePreview,
  signal: AbortSignal,
): Promise<Preview> {
  const { infoHash } = described
  // Making it took a while: the item may have been published again meanwhile, for fewer to see.
  const { owner, access, about, replicas } = services.library.record(infoHash) ?? described
  const name = `${kind}-${infoHash}.${extension}`
  const { expiresAt } = about
  const { item } = await publish(services, only(name, bytes), {
    name,
    owner,
    access: about.encryption === undefined ? access : 'private',
    ...(about.encryption !== undefined && { encrypt: { readers: services.encryption.grants.of(infoHash) } }),
    about: { previewOf: infoHash, ...(expiresAt !== undefined && { expiresAt }) },
    replicas,
    signal,
  })
  const [file] = (await services.encryption.reveal(item))?.files ?? item.files
  const type = file?.type ?? 'application/octet-stream'
  return { kind, infoHash: item.infoHash, sha256: item.sha256, size: item.size, type }
}

async function* only(path: string, bytes: Uint8Array) {
  yield { path, bytes: chunk(bytes) }
}

async function* chunk(bytes: Uint8Array) {
  yield bytes
}

/**
 * Adds to what is said of an item published here, in the catalog and in its manifest. When it was retracted meanwhile, so
 * are the previews; it has them again when it is restored.
 */
async function say(
  services: PublishingServices & LifeServices,
  infoHash: string,
  { media, previews }: { media: MediaDetails; previews: Preview[] },
): Promise<void> {
  const { turns, graph, library, encryption, id, trackers } = services
  await turns.take(infoHash, async () => {
    const item = library.record(infoHash)
    const published = graph.get('m', id, infoHash)?.body
    const isLive = item !== undefined && published?.state === 'live'
    if (item !== undefined) {
      if (previews.some((preview) => !isAsVisible(library.record(preview.infoHash), item))) {
        for (const preview of previews) await withdraw(services, preview.infoHash)
        throw new StalePreviewError(infoHash)
      }
      const isEncrypted = item.about.encryption !== undefined
      const about = isEncrypted
        ? await encryption.adding(item, { media, previews })
        : { ...item.about, media, ...(previews.length > 0 && { previews }) }
      library.about.set(infoHash, about)
      if (published?.state === 'live') {
        const { purgeAfter: _purgeAfter, ...rest } = item
        const { replicas } = published
        await graph.publish('m', infoHash, manifestOf({ ...rest, about, replicas, state: 'live' }, trackers))
      }
    }
    // Who reads it may have changed while they were made.
    if (item?.about.encryption !== undefined)
      for (const preview of encryption.grants.match(infoHash)) await encryption.grants.publish(preview)
    // They were published as the item was then: it may have gone, or come back without its expiry.
    for (const preview of previews) {
      if (isLive) await restore(services, preview.infoHash)
      else await withdraw(services, preview.infoHash)
    }
  })
}

function isAsVisible(preview: Item | undefined, { access, about }: Item): boolean {
  return preview?.access === (about.encryption === undefined ? access : 'private')
}

/** What an encrypted item is to this node, for the describer. */
async function reveal({ encryption }: PublishingServices, item: Item): Promise<PlainItem | undefined> {
  const revealed = await encryption.reveal(item)
  if (revealed === undefined) return undefined
  const { tags, media = item.about.media } = revealed
  return {
    files: revealed.files.map((file, n) => ({ ...file, sha256: item.files[n]?.sha256 ?? '' })),
    about: { ...item.about, ...(tags && { tags }), ...(media && { media }) },
    open: async (n) => {
      const file = await encryption.file(item, n)
      if (file === undefined) throw new NoIdentityError(item.infoHash)
      return file
    },
  }
}

/** The describer of what is published through these services. */
export function createDescriber(
  services: PublishingServices & LifeServices,
  { ffprobe, ffmpeg, previews, log }: DescriberOptions['tools'] & Pick<DescriberOptions, 'previews' | 'log'>,
): Describer {
  return new MediaDescriber({
    library: services.library,
    tools: { ffprobe, ffmpeg },
    previews,
    reveal: (item) => reveal(services, item),
    publishPreview: (item, preview, signal) => publishPreview(services, item, preview, signal),
    say: (infoHash, said) => say(services, infoHash, said),
    most: Math.max(1, Math.floor(availableParallelism() / 2)),
    log,
    now: services.now,
  })
}
