import { create as contentDisposition } from 'content-disposition'
import { z } from 'zod'
import { audienceOf, type Viewer } from '../access/index.ts'
import { torrentFile } from '../ingest/index.ts'
import type { Api } from './api.ts'
import { MediaNotFoundError } from './errors.ts'
import { itemOf, mediaIdSchema, recordOf } from './media-id.ts'
import { canonicalFiles } from './canonical-files.ts'
import { filesSchema, linksOf, mediaDetailSchema, mediaSchema, openViewOf, verifiedAtOf } from './media-view.ts'
import { problems } from './problem.ts'
import type { Services } from './services.ts'

const filesInList = 100

const params = z.object({ id: mediaIdSchema })

const pageSchema = z.object({ items: z.array(mediaSchema), nextCursor: z.string().optional() })

/** `/v1/media` without uploads and bytes: list and describe. */
export async function mediaRoutes(app: Api, services: Services): Promise<void> {
  const { library, trackers, encryption } = services
  const shown = (viewer: Viewer) => ({ endpoints: services.endpoints(), trackers, library, encryption, viewer })

  app.get(
    '/v1/media',
    {
      schema: {
        tags: ['media'],
        summary: 'Items held here, newest first',
        querystring: z.object({
          cursor: z.string().max(200).optional().describe('`nextCursor` of the page before.'),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: { 200: pageSchema, ...problems(400, 503) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query
      const audience = audienceOf(request)
      const { items, nextCursor } = library.list({
        limit,
        files: filesInList,
        ...(cursor !== undefined && { cursor }),
        ...(audience !== undefined && { audience }),
      })
      const sources = shown(request)
      return {
        items: await Promise.all(items.map((item) => openViewOf(item, sources))),
        ...(nextCursor !== undefined && { nextCursor }),
      }
    },
  )

  app.get(
    '/v1/media/:id',
    {
      schema: {
        tags: ['media'],
        summary: 'One item, by infohash or SHA-256',
        params,
        response: { 200: mediaDetailSchema, ...problems(400, 404, 410, 503) },
      },
    },
    async (request) => {
      const { item, condition } = recordOf(library, request, request.params.id)
      const view = await openViewOf(item, shown(request))
      return {
        ...view,
        describing: library.descriptions.has(item.infoHash),
        condition,
        verifiedAt: verifiedAtOf(library, item.infoHash),
      }
    },
  )

  app.get(
    '/v1/media/:id/files',
    {
      schema: {
        tags: ['media'],
        summary: 'All files of an item, as the canonical JSON (RFC 8785) whose SHA-256 is in the manifest',
        params,
        response: { 200: filesSchema, ...problems(400, 404, 410, 503) },
      },
    },
    async (request, reply) => {
      const { files } = itemOf(library, request, request.params.id)
      // The very text is what the digest is of.
      return await reply.serializer(() => canonicalFiles(files)).send(files)
    },
  )

  app.get(
    '/v1/media/:id/torrent',
    {
      schema: {
        tags: ['media'],
        summary: "The item's .torrent file, with the trackers of this node and itself as web seed",
        params,
        response: {
          200: {
            description: 'BEP 3 metainfo',
            content: { 'application/x-bittorrent': { schema: z.any().meta({ type: 'string', format: 'binary' }) } },
          },
          ...problems(400, 404, 410, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const item = itemOf(library, request, id)
      const metainfo = library.metainfo(item.infoHash)
      const { webSeed } = linksOf(item.infoHash, services.endpoints().http)
      if (metainfo === undefined) throw new MediaNotFoundError(id)
      // Whoever takes the file is about to ask for the bytes. One that cannot be woken now is woken by its peers.
      void services.swarm.wake(item.infoHash)
      return await reply
        .type('application/x-bittorrent')
        .header('content-disposition', contentDisposition(`${item.name}.torrent`))
        .send(Buffer.from(torrentFile(metainfo, { trackers: [...trackers], webSeeds: [webSeed] })))
    },
  )
}
