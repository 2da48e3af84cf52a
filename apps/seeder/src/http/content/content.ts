import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Library } from '../../library/index.ts'
import { shapeOf } from './answer-shape.ts'
import { Answers, type AnswersOptions } from './answers.ts'
import type { Api } from '../api.ts'
import { judge, rangeApplies } from './conditions.ts'
import { contentHeaders } from './content-headers.ts'
import { MediaPausedError, PathRequiredError, PreconditionFailedError } from '../errors.ts'
import { FileSender } from './file-sender.ts'
import { mediaIdSchema } from '../media/media-id.ts'
import { encryptionHeaders, type Plain, plainFile } from './plain-file.ts'
import { problems } from '../problem.ts'
import { type Files, servedFile, type Remote, type ServedFile, webSeedFile } from './served-file.ts'
import type { Services } from '../services.ts'

const itemParams = z.object({ id: mediaIdSchema })
const pathParams = z.object({ id: mediaIdSchema, '*': z.string().max(4096) })
const query = z.object({
  download: z
    .union([z.literal('').transform(() => true), z.stringbool()])
    .optional()
    .describe('Offer the file for saving.'),
})

const binary = z.any().meta({ type: 'string', format: 'binary' })
const responses = {
  200: { description: 'The whole file', content: { '*/*': { schema: binary } } },
  206: {
    description: 'The asked range, or several as multipart/byteranges',
    content: { '*/*': { schema: binary } },
  },
  304: z.undefined().describe('The client has these bytes.'),
  ...problems(400, 404, 410, 412, 416, 502, 503, 504),
}
const documentation = { tags: ['content'], response: responses, querystring: query }

/** What the routes of bytes work with. */
export interface ContentServices {
  library: Pick<Library, 'isPaused' | 'onCondition'> & Files & Plain['library']
  encryption: Plain['encryption']
  replication: Remote
  swarm: Pick<Services['swarm'], 'uploadPassage'>
  log: Pick<Services['log'], 'error'>
  limits: Pick<Services['limits'], 'stallMs'>
}

/** `GET` and `HEAD` of the bytes: as files, and as the base of a web seed (BEP 19). */
export async function contentRoutes(
  app: Api,
  services: ContentServices,
  most: Pick<AnswersOptions, 'most' | 'mostWebSeeds'> = {},
): Promise<Serve> {
  const { library, replication, swarm, log, limits } = services
  const answers = new Answers({
    sender: new FileSender(limits),
    library,
    uploadPassage: (infoHash) => swarm.uploadPassage(infoHash),
    failed: (error) => log.error({ err: error }, 'a file could not be sent whole'),
    ...most,
  })

  const send = async (request: FastifyRequest, reply: FastifyReply, served: ServedFile, how: How = {}) => {
    const { infoHash, file, createdAt } = served
    const current = { etag: served.etag ?? `"${file.sha256}"`, modified: createdAt }
    const headers = {
      ...contentHeaders(file, current, how.download === true),
      ...encryptionHeaders(served, reply),
    }
    const verdict = judge(request.headers, current)
    if (verdict === 'failed') throw new PreconditionFailedError()
    if (verdict === 'unmodified') return await reply.code(304).headers(headers).send()
    // Ranges are for GET alone (RFC 9110, section 14.2).
    const isHead = request.method === 'HEAD'
    const range = isHead || !rangeApplies(request.headers, current) ? undefined : request.headers.range
    const shape = shapeOf(file, range)
    const head = () => reply.code(shape.status).headers({ ...headers, ...shape.headers })
    if (isHead) return await head().send()
    await answers.send(
      reply.raw,
      { infoHash, parts: shape.parts, tail: shape.tail, isWebSeed: how.webSeed === true },
      // Opened before anything is said: an error must not carry the file's headers, caches would keep it for good.
      served.open,
      ({ cacheStatus }) => {
        if (cacheStatus !== undefined) void reply.header('cache-status', cacheStatus)
        head().hijack()
        reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | number>)
      },
    )
    return reply.hijack()
  }

  const serve: Serve = async (request, reply, id, path, how) => {
    const held =
      (await plainFile(services, request, id, path)) ?? (await servedFile(library, replication, request, id, path))
    if (path === undefined && !held.alone) throw new PathRequiredError(held.infoHash)
    return await send(request, reply, held, { download: how?.download })
  }

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/content',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'The bytes of an item of one file', params: itemParams },
    handler: (request, reply) => serve(request, reply, request.params.id, undefined, request.query),
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/content/*',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'The bytes of one file of an item, by its path', params: pathParams },
    handler: (request, reply) => serve(request, reply, request.params.id, request.params['*'], request.query),
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/ws/*',
    config: { unmetered: true },
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'Web seed: <name>, or <name>/<path> (BEP 19)', params: pathParams },
    handler: async (request, reply) => {
      const { id, '*': path } = request.params
      const held = await webSeedFile(library, request, id, path)
      if (library.isPaused(held.infoHash)) throw new MediaPausedError(held.infoHash)
      return await send(request, reply, held, { webSeed: true })
    },
  })
  return serve
}

/** Answers with the bytes of a file, for who may read it: the one at `path`, or the only one of its item. */
export type Serve = (
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  path?: string,
  how?: { download?: boolean | undefined },
) => Promise<FastifyReply>

interface How {
  /** For saving, not for showing. */
  download?: boolean | undefined
  webSeed?: boolean
}
