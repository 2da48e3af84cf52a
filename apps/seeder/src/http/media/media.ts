import { trackersOf } from '@eldernode/core'
import { create as contentDisposition } from 'content-disposition'
import { z } from 'zod'
import { audienceOf, mayChange, type Viewer } from '../../access/index.ts'
import { torrentFile } from '../../ingest/index.ts'
import type { Api } from '../api.ts'
import { MediaNotFoundError } from '../errors.ts'
import { itemOf, mediaIdSchema, recordOf } from './media-id.ts'
import { canonicalFiles } from '../content/canonical-files.ts'
import { filesSchema, linksOf, mediaDetailSchema, mediaSchema, openViewOf, verifiedAtOf } from './media-view.ts'
import { problems } from '../problem.ts'
import { healthView, publicHealthView } from '../standing/health-view.ts'
import type { Services } from '../services.ts'

const filesInList = 100

const params = z.object({ id: mediaIdSchema })

/** Milliseconds since 1970, or an ISO 8601 time. */
const moment = z.union([
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
])

const listQuery = z.object({
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  owner: z
    .string()
    .max(200)
    .optional()
    .describe("The owner of the token that published it: one's own; for administrators any."),
  type: z
    .string()
    .max(200)
    .regex(/^[\w.+-]+(?:\/[\w.+-]+)?$/)
    .optional()
    .describe('Media type of one of its files (`audio/flac`), or a kind of them (`audio`).'),
  tag: z
    .union([z.string().max(64), z.array(z.string().max(64)).max(8)])
    .transform((tags) => [tags].flat())
    .optional()
    .describe('A tag that it has; given several times, all of them.'),
  q: z
    .string()
    .max(200)
    .optional()
    .describe(
      'Words of its name, title, artist, tracks, tags or paths. The last one may be the beginning of a word, of three letters or more.',
    ),
  from: moment.optional().describe('Published then or later: milliseconds since 1970, or ISO 8601.'),
  until: moment.optional().describe('Published before: milliseconds since 1970, or ISO 8601.'),
})

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
        summary: 'Items held here, newest first; those that fit all that is asked for',
        querystring: listQuery,
        response: { 200: pageSchema, ...problems(400, 503) },
      },
    },
    async (request) => {
      const { tag, q, ...query } = request.query
      // Whose an item is, nobody else learns; not by trying names either.
      if (query.owner !== undefined && !mayChange(request, { owner: query.owner })) return { items: [] }
      const audience = audienceOf(request)
      const { items, nextCursor } = library.list({ ...query, text: q, tags: tag, files: filesInList, audience })
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
      const health = services.standing.health(item.infoHash)
      const healthFor = mayChange(request, item) ? healthView : publicHealthView
      return {
        ...view,
        ...(item.about.encryption && { encryption: item.about.encryption }),
        describing: library.descriptions.has(item.infoHash),
        condition,
        verifiedAt: verifiedAtOf(library, item.infoHash),
        ...(health && { replication: healthFor(health) }),
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
      return await reply
        .type('application/json; charset=utf-8')
        .serializer(() => canonicalFiles(files))
        .send(files)
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
        .send(
          Buffer.from(torrentFile(metainfo, { trackers: trackersOf(trackers, item.infoHash), webSeeds: [webSeed] })),
        )
    },
  )
}
