import { InvalidInputError } from '@eldernode/core'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Caller, UnauthorizedError } from '../../access/index.ts'
import { importUrl, ImportNotFoundError, type ImportView, type Kind, readMagnet } from '../../imports/index.ts'
import { readTorrentFile } from '../../swarm/index.ts'
import type { Api } from '../api.ts'
import { itemOptionsSchema, parseItemOptions, uploadOf } from '../media/item-options.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

/** In base64: hashes of 100,000 pieces. */
const mostTorrentCharacters = 2_800_000

const bodySchema = itemOptionsSchema
  .extend({
    url: z.string().max(2048).optional().describe('An http or https URL whose bytes become an item of one file.'),
    through: z
      .literal('yt-dlp')
      .optional()
      .describe('The URL is of a page: yt-dlp finds the media in it (imports.ytDlp).'),
    magnet: z.string().max(16_384).optional().describe('A magnet link; the item keeps its infohash and name.'),
    torrent: z
      .base64()
      .max(mostTorrentCharacters)
      .optional()
      .describe('A .torrent file in base64; the item keeps its infohash and name.'),
  })
  .meta({ id: 'ImportRequest' })

const importSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['url', 'yt-dlp', 'magnet', 'torrent']).describe('What `source` is.'),
    source: z.string().describe('The URL or the magnet; empty for a .torrent file.'),
    owner: z.string(),
    state: z
      .enum(['queued', 'running', 'done', 'failed', 'cancelled'])
      .describe('`queued` and `running` go on after a restart.'),
    bytes: z.int().describe('Received; of a torrent, those that proved right.'),
    total: z.int().optional().describe('Of how many, while it runs and as far as that is known.'),
    infoHash: z.string().optional().describe('The item, once it is published.'),
    error: z
      .object({ code: z.string(), detail: z.string() })
      .optional()
      .describe('Why it failed, at last or the last time.'),
    retryAt: z.int().optional().describe('Milliseconds since 1970: one that failed is tried again then.'),
    createdAt: z.int().describe('Milliseconds since 1970.'),
    changedAt: z.int(),
    links: z.object({ self: z.string(), item: z.string().optional() }),
  })
  .meta({ id: 'Import' })

/** What is not said of a torrent, which stays what it is. */
const keeps = ['name', 'type', 'encrypt', 'readers'] as const

const params = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of an import') })

/** `/v1/imports`: what is fetched from elsewhere and published here. */
export async function importRoutes(app: Api, services: Services): Promise<void> {
  const { imports, replicas, now } = services
  const config = { scope: 'media:write' } as const

  const shown = (view: ImportView): z.output<typeof importSchema> => {
    const base = services.endpoints().http
    const { kind, infoHash } = view
    return {
      ...view,
      kind: kind as Kind,
      links: {
        self: `${base}/v1/imports/${view.id}`,
        ...(infoHash !== undefined && { item: `${base}/v1/media/${infoHash}` }),
      },
    }
  }

  /** Others' imports are there for administrators alone. */
  const visible = (request: FastifyRequest, id: string): ImportView => {
    const caller = callerOf(request)
    const view = imports.get(id)
    if (!caller.admin && view.owner !== caller.owner) throw new ImportNotFoundError(id)
    return view
  }

  app.post(
    '/v1/imports',
    {
      config,
      bodyLimit: mostTorrentCharacters + 512 * 1024,
      schema: {
        tags: ['imports'],
        summary: 'Have the node fetch and publish something: a URL, a magnet or a .torrent',
        description:
          'Give one of url, magnet and torrent, and beside it what an upload may say of its item. It goes on after the answer.',
        body: bodySchema,
        response: { 202: importSchema, ...problems(400, 403, 413, 415, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      const { url, through, magnet, torrent, ...fields } = request.body
      const options = parseItemOptions(fields, 'body')
      const { kind, source } = sourceOf({ url, through, magnet, torrent })
      if (url === undefined && (options.access === 'private' || keeps.some((option) => options[option] !== undefined)))
        throw new InvalidInputError(
          `A torrent keeps its name and its bytes: leave ${keeps.join(', ')} and access private out.`,
        )
      const { owner, token } = callerOf(request)
      const wanted = uploadOf(options, { owner, replicas, now: now() })
      const view = shown(await imports.add(kind, source, wanted, token))
      return await reply.code(202).header('location', view.links.self).send(view)
    },
  )

  app.get(
    '/v1/imports',
    {
      config,
      schema: {
        tags: ['imports'],
        summary: "The caller's imports, newest first; everybody's for administrators",
        querystring: z.object({
          cursor: z.string().max(200).optional().describe('`nextCursor` of the page before.'),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: {
          200: z.object({ imports: z.array(importSchema), nextCursor: z.string().optional() }),
          ...problems(400, 403),
        },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query
      const caller = callerOf(request)
      const found = imports.list({
        limit,
        ...(!caller.admin && { owner: caller.owner }),
        ...(cursor !== undefined && { cursor }),
      })
      return { ...found, imports: found.imports.map(shown) }
    },
  )

  app.get(
    '/v1/imports/:id',
    {
      config,
      schema: {
        tags: ['imports'],
        summary: 'One import and its progress',
        params,
        response: { 200: importSchema, ...problems(400, 403, 404) },
      },
    },
    async (request) => shown(visible(request, request.params.id)),
  )

  app.delete(
    '/v1/imports/:id',
    {
      config: { ...config, always: true },
      schema: {
        tags: ['imports'],
        summary: 'Call an import off, or forget one that is over',
        description: 'The answer says how it was at the end: `done` when its item was published already, which stays.',
        params,
        response: { 200: importSchema, ...problems(400, 403, 404) },
      },
    },
    async (request) => {
      visible(request, request.params.id)
      return shown(await imports.cancel(request.params.id))
    },
  )
}

interface Sources {
  url: string | undefined
  through: 'yt-dlp' | undefined
  magnet: string | undefined
  torrent: string | undefined
}

/** What can be judged at once is. @throws InvalidInputError, ImportRefusedError, BadMetainfoError */
function sourceOf({ url, through, magnet, torrent }: Sources): { kind: Kind; source: string } {
  const [only, ...others] = [url, magnet, torrent].filter((given) => given !== undefined)
  if (only === undefined || others.length > 0) throw new InvalidInputError('Give one of url, magnet and torrent.')
  if (through !== undefined && url === undefined) throw new InvalidInputError('`through` goes with a url.')
  if (url !== undefined) return { kind: through ?? 'url', source: importUrl(url).href }
  if (magnet !== undefined) readMagnet(magnet)
  else readTorrentFile(Buffer.from(only, 'base64'))
  return { kind: magnet === undefined ? 'torrent' : 'magnet', source: only }
}

function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === undefined) throw new UnauthorizedError()
  return caller
}
