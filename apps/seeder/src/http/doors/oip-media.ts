import { sha256Schema } from '@eldernode/core'
import { z } from 'zod'
import { mayChange, type Viewer } from '../../access/index.ts'
import type { Item } from '../../library/index.ts'
import { viewOf } from '../media-view.ts'
import type { Services } from '../services.ts'

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
    size: z.int(),
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

/** Shows an item, as it is stored. */
export function oipMediaOf(item: Item, services: Services, viewer: Viewer): z.output<typeof oipMediaSchema> {
  const { magnet, links, size, name, infoHash, sha256 } = viewOf(item, {
    ...services,
    endpoints: services.endpoints(),
    viewer,
  })
  const did = `did:gun:media:${sha256}`
  const { ipfs, arweave } = item.about.addresses ?? {}
  return {
    mediaId: sha256,
    did,
    infoHash,
    magnetURI: magnet,
    size,
    mime: item.files[0]?.type ?? 'application/octet-stream',
    originalName: name,
    encrypted: services.library.keys.isEncrypted(infoHash),
    access_level: item.access === 'public' ? 'public' : 'private',
    ...(mayChange(viewer, item) && { owner: item.owner }),
    transport: {
      bittorrent: { infoHash, magnetURI: magnet, trackers: [...services.trackers] },
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
