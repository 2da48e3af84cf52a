import {
  accessSchema,
  encryptionSchema,
  type Endpoints,
  magnetOf,
  mediaDetailsSchema,
  nodeIdSchema,
  type Preview,
  previewSchema,
  SealBrokenError,
  WrongIdentityError,
  trackersOf,
} from '@eldernode/core'
import { z } from 'zod'
import { mayChange, mayDecrypt, type Viewer } from '../../access/index.ts'
import type { Encryption } from '../../encryption/index.ts'
import type { Controls, Item, Library, ListedItem } from '../../library/index.ts'
import { healthSchema } from '../standing/health-view.ts'

const fileSchema = z
  .object({
    path: z.string().describe("Relative to the item's name; for a single file the name itself."),
    size: z.int().describe('Bytes.'),
    sha256: z.string(),
    type: z.string().describe('Media type, sniffed from the first bytes.'),
  })
  .meta({ id: 'MediaFile' })

const rateSchema = z
  .int()
  .min(0)
  .max(100_000_000_000)
  .nullable()
  .describe('Bytes per second; 0 is no limit, null is the limit that holds for every item.')

/** An item's own limits. */
export const itemLimitsSchema = z
  .object({ uploadLimit: rateSchema, downloadLimit: rateSchema })
  .meta({ id: 'ItemLimits' })

const shownPreviews = z.array(previewSchema.extend({ url: z.string().describe('Where its bytes are.') }))

const plainSchema = z
  .object({
    name: z.string(),
    tags: z.array(z.string()).optional(),
    media: mediaDetailsSchema.optional(),
    previews: shownPreviews.optional(),
    files: z
      .array(z.object({ path: z.string(), size: z.int(), type: z.string() }))
      .describe('The first ones, when there are many.'),
  })
  .meta({ id: 'PlainMedia' })

/** One item as the API shows it. */
export const mediaSchema = z
  .object({
    id: z.string().describe('The infohash.'),
    infoHash: z.string(),
    magnet: z.string(),
    name: z.string(),
    size: z.int().describe('Bytes of all files together.'),
    sha256: z.string().describe('Of the bytes, or of the canonical [path, size, sha256] list of several files.'),
    pieceLength: z.int(),
    files: z.array(fileSchema).describe('In a list of items the first 100 only; see fileCount and links.files.'),
    fileCount: z.int(),
    publisher: nodeIdSchema,
    replicas: z.object({ min: z.int(), target: z.int() }),
    createdAt: z.int().describe('Milliseconds since 1970.'),
    access: accessSchema.describe('public: for all; unlisted: whoever has the id; private: its owner and readers.'),
    encrypted: z.boolean().describe('Whether the stored files are age files (https://age-encryption.org/v1).'),
    plain: plainSchema.optional().describe('What was encrypted. Shown to its owner, its readers and administrators.'),
    owner: z.string().optional().describe("Empty for the operator's. Shown to the owner and to administrators only."),
    tags: z.array(z.string()),
    expiresAt: z.int().optional().describe('Milliseconds since 1970: it is retracted by itself then.'),
    media: mediaDetailsSchema
      .extend({ codecs: z.array(z.string()).optional().describe('As ffmpeg calls them.') })
      .optional()
      .describe('What a player shows; found by the node once it is published, unless its publisher said it.'),
    previews: shownPreviews.describe('Small items of their own that stand for this one; made once it is published.'),
    previewOf: z.string().optional().describe('The infohash of the item that this is a preview of.'),
    paused: z.boolean().optional().describe('Neither sent to peers nor fetched from them. Shown as `owner` is.'),
    limits: itemLimitsSchema.optional().describe('Shown as `owner` is.'),
    links: z.object({
      self: z.string(),
      content: z.string(),
      files: z.string(),
      torrent: z.string(),
      webSeed: z.string(),
    }),
  })
  .meta({ id: 'Media' })

export const conditionSchema = z
  .enum(['held', 'patchy', 'suspect', 'damaged'])
  .describe('held: whole; suspect: hashed again; damaged, patchy: lost bytes are fetched again.')

/** One item as it is shown by itself. */
export const mediaDetailSchema = mediaSchema
  .extend({
    encryption: encryptionSchema
      .optional()
      .describe('As the manifest has it: what `sealed` says is for who has the identity of `recipient`.'),
    describing: z.boolean().describe('Whether its details and previews are still to come.'),
    condition: conditionSchema,
    verifiedAt: z
      .int()
      .describe('Milliseconds since 1970: every piece was found right on this disk then, or after that.'),
    replication: healthSchema.optional().describe('How it stands in the network; absent until this node knows.'),
  })
  .meta({ id: 'MediaDetail' })

/** When the piece whose last proof is the oldest was found right. */
export function verifiedAtOf(library: Pick<Library, 'pieces'>, infoHash: string): number {
  let oldest = Infinity
  for (const at of library.pieces(infoHash)?.verifiedAt ?? []) oldest = Math.min(oldest, at)
  return oldest === Infinity ? 0 : oldest * 1000
}

export type MediaView = z.output<typeof mediaSchema>

export const filesSchema = z.array(fileSchema)

/** An item's links, from this node's public address. */
export function linksOf(id: string, http: string): MediaView['links'] {
  const self = `${http}/v1/media/${id}`
  return {
    self,
    content: `${self}/content`,
    files: `${self}/files`,
    torrent: `${self}/torrent`,
    webSeed: `${self}/ws/`,
  }
}

/** What an item's view needs of the node. */
export interface Shown {
  endpoints: Endpoints
  trackers: readonly string[]
  library: Pick<Library, 'controls'>
  viewer: Viewer
}

/** Shows the files that the item comes with. What the owner set is nobody else's business. */
export function viewOf(item: Item | ListedItem, { endpoints, trackers, library, viewer }: Shown): MediaView {
  const links = linksOf(item.infoHash, endpoints.http)
  return {
    id: item.infoHash,
    infoHash: item.infoHash,
    magnet: magnetOf(item, {
      trackers: trackersOf(trackers, item.infoHash),
      webSeeds: [links.webSeed],
      peer: endpoints.bittorrent,
    }),
    name: item.name,
    size: item.size,
    sha256: item.sha256,
    pieceLength: item.pieceLength,
    files: item.files,
    fileCount: 'fileCount' in item ? item.fileCount : item.files.length,
    publisher: item.publisher,
    replicas: item.replicas,
    createdAt: item.createdAt,
    access: item.access,
    encrypted: item.about.encryption !== undefined,
    ...saidOf(item, endpoints.http),
    ...(mayChange(viewer, item) && { owner: item.owner, ...trafficOf(library.controls(item.infoHash)) }),
    links,
  }
}

/** What is said of an item, as far as everybody who sees it may know it. */
function saidOf({ about: { tags = [], expiresAt, media, previews = [], previewOf } }: Item, http: string) {
  return {
    tags,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(media && { media }),
    previews: urlsOf(previews, http),
    ...(previewOf !== undefined && { previewOf }),
  }
}

function urlsOf(previews: readonly Preview[], http: string) {
  return previews.map((preview) => ({ ...preview, url: linksOf(preview.infoHash, http).content }))
}

/** `viewOf`, and to who may read it what an encrypted item was. */
export async function openViewOf(
  item: Item | ListedItem,
  shown: Shown & { encryption: Pick<Encryption, 'description'> },
): Promise<MediaView> {
  const view = viewOf(item, shown)
  if (item.about.encryption === undefined || !mayDecrypt(shown.viewer, item)) return view
  try {
    const plain = await shown.encryption.description(item)
    if (plain === undefined) return view
    const { index: _index, previews, ...rest } = plain
    return { ...view, plain: { ...rest, ...(previews && { previews: urlsOf(previews, shown.endpoints.http) }) } }
  } catch (error) {
    // What another publisher sealed must not keep anybody from a list.
    if (error instanceof SealBrokenError || error instanceof WrongIdentityError) return view
    throw error
  }
}

/** What was set for the traffic of an item, as the API shows it. */
export function trafficOf({ paused, uploadLimit, downloadLimit }: Controls) {
  return { paused, limits: { uploadLimit: uploadLimit ?? null, downloadLimit: downloadLimit ?? null } }
}
