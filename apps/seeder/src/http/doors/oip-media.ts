import { sha256Schema, trackersOf } from '@eldernode/core'
import { z } from 'zod'
import { mayChange, type Viewer } from '../../access/index.ts'
import type { Item } from '../../library/index.ts'
import type { Services } from '../services.ts'
import { originalOf } from './original.ts'

export const accessLevelSchema = z.enum(['private', 'public'])

const transportSchema = z.object({
  bittorrent: z.object({ infoHash: z.string(), magnetURI: z.string(), trackers: z.array(z.string()) }),
  http: z.array(z.string()),
})

/** An item as the OIP media API shows it. */
export const oipMediaSchema = z
  .object({
    mediaId: sha256Schema,
    did: z.string().describe('did:gun:media:<sha256>'),
    infoHash: z.string(),
    magnetURI: z.string(),
    size: z.int().describe('As mime and originalName of what was encrypted, to who may decrypt it.'),
    mime: z.string(),
    originalName: z.string(),
    encrypted: z.boolean(),
    access_level: accessLevelSchema,
    owner: z.string().optional().describe('Shown to the owner and to administrators.'),
    transport: transportSchema,
    addresses: z
      .object({
        bittorrentAddress: z.string(),
        gunAddress: z.string(),
        httpAddress: z.string(),
        ipfsAddress: z.string().optional(),
        arweaveAddress: z.string().optional(),
      })
      .describe('As OIP records name where the same bytes are.'),
  })
  .meta({ id: 'OipMedia' })

/** Shows an item: to who may decrypt it what was encrypted, to others what is stored. */
export async function oipMediaOf(
  item: Item,
  services: Services,
  viewer: Viewer,
): Promise<z.output<typeof oipMediaSchema>> {
  const { view, original } = await originalOf(item, { ...services, endpoints: services.endpoints(), viewer })
  const { magnet, links, infoHash, sha256 } = view
  const did = `did:gun:media:${sha256}`
  const { ipfs, arweave } = item.about.addresses ?? {}
  return {
    mediaId: sha256,
    did,
    infoHash,
    magnetURI: magnet,
    size: original.size,
    mime: original.type,
    originalName: original.name,
    encrypted: services.library.keys.isEncrypted(infoHash),
    access_level: item.access === 'public' ? 'public' : 'private',
    ...(mayChange(viewer, item) && { owner: item.owner }),
    transport: {
      bittorrent: { infoHash, magnetURI: magnet, trackers: trackersOf(services.trackers, infoHash) },
      http: [links.content],
    },
    addresses: {
      bittorrentAddress: magnet,
      gunAddress: did,
      httpAddress: links.content,
      ...(ipfs !== undefined && { ipfsAddress: ipfs }),
      ...(arweave !== undefined && { arweaveAddress: arweave }),
    },
  }
}
