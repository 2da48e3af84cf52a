import multipart from '@fastify/multipart'
import { InvalidInputError } from '@eldernode/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { may, mayChange, UnauthorizedError } from '../../access/index.ts'
import { publish } from '../../publishing/index.ts'
import type { Api } from '../api.ts'
import type { Serve } from '../content/content.ts'
import { MediaHiddenError, MediaNotFoundError } from '../errors.ts'
import { replay } from '../idempotency/idempotency.ts'
import { disconnection } from '../uploads/incoming.ts'
import { parseItemOptions, uploadOf } from '../media/item-options.ts'
import { itemOf, mediaIdSchema } from '../media/media-id.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import type { RunningUploads } from '../uploads/running-uploads.ts'
import { formLimits, readForm } from './form.ts'
import { imported } from './imported.ts'
import { accessLevelSchema, oipMediaOf, oipMediaSchema } from './oip-media.ts'
import { askForCopy } from './replicate.ts'
import { flag } from './words.ts'

/** In base64. What is larger comes as a form, or by URL. */
const mostInlineCharacters = 32 * 2 ** 20

const jsonBody = z.object({
  source: z.enum(['url', 'base64']),
  data: z.string().min(1).max(mostInlineCharacters).describe('The URL, or the bytes in base64.'),
  name: z.string().optional(),
  access_level: accessLevelSchema.optional(),
  encrypt: z.boolean().optional(),
})

const doneSchema = z.object({ success: z.literal(true) })
const mediaParams = z.object({ mediaId: mediaIdSchema })

/** The OIP media API, as its clients know it. `mediaId` is the SHA-256. */
export async function oipDoor(
  app: Api,
  services: Services,
  { serve, uploads }: { serve: Serve; uploads: RunningUploads },
): Promise<void> {
  const { library, graph, replication, now } = services

  /** @throws MediaNotFoundError, MediaHiddenError, UnauthorizedError */
  const seen = async <T>(request: FastifyRequest, id: string, read: () => T | Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      const head = library.head(id)
      if (!(error instanceof MediaNotFoundError) || head === undefined || may(request, head) !== 'hidden') throw error
      throw request.caller === undefined ? new UnauthorizedError() : new MediaHiddenError(id)
    }
  }

  const optionsOf = (request: FastifyRequest, said: { name?: string; level?: string; encrypt?: boolean }) => {
    if (request.caller === undefined) throw new UnauthorizedError()
    const access = accessLevelSchema.safeParse(said.level ?? 'private')
    if (!access.success) throw new InvalidInputError('access_level is neither private nor public.')
    const { encrypt = access.data === 'private', name } = said
    const options = parseItemOptions({ access: access.data, encrypt, ...(name !== undefined && { name }) }, 'body')
    return uploadOf(options, { owner: request.caller.owner, replicas: services.replicas, now: now() })
  }

  const receive = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { name, size, bytes }: { name: string; size: number; bytes: () => AsyncIterable<Uint8Array> },
    wanted: ReturnType<typeof optionsOf>,
  ) => {
    const files = (async function* () {
      yield { path: name, bytes: bytes() }
    })()
    const upload = { ...wanted, signal: disconnection(reply), expectedSize: size }
    const { item } = await uploads.track(publish(services, files, upload))
    return { success: true as const, ...(await oipMediaOf(item, services, request)), originalName: name }
  }

  await app.register(async (scope: FastifyInstance) => {
    const form = scope.withTypeProvider<ZodTypeProvider>()
    await form.register(multipart, { limits: formLimits })
    form.post(
      '/api/media/upload',
      {
        config: { scope: 'media:write', print: 'form' },
        bodyLimit: mostInlineCharacters + 64 * 1024,
        schema: {
          tags: ['doors'],
          summary: 'Publish one file, as the OIP media API does: private unless it says otherwise',
          description: 'A form with `file`, or JSON with the bytes in base64 or a URL to fetch them from.',
          consumes: ['multipart/form-data', 'application/json'],
          body: z.any().meta({
            type: 'object',
            properties: {
              file: { type: 'string', format: 'binary' },
              source: { type: 'string', enum: ['url', 'base64'] },
              data: { type: 'string' },
              name: { type: 'string' },
              access_level: { type: 'string', enum: ['private', 'public'] },
              encrypt: { type: 'boolean' },
            },
          }),
          response: {
            200: doneSchema.extend(oipMediaSchema.shape),
            ...problems(400, 403, 408, 409, 413, 415, 422, 502, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        if (request.isMultipart()) {
          const sent = await readForm(request, services)
          if ('status' in sent) return await replay(reply, sent)
          try {
            const { name, access_level: level, encrypt } = sent.fields
            const secret = flag(encrypt)
            const wanted = optionsOf(request, {
              ...(name !== undefined && name !== '' && { name }),
              ...(level !== undefined && { level }),
              ...(secret !== undefined && { encrypt: secret }),
            })
            sent.release()
            return await receive(request, reply, sent.file, wanted)
          } finally {
            await sent.discard()
          }
        }
        const parsed = jsonBody.safeParse(request.body)
        if (!parsed.success) throw new InvalidInputError(`The body is not valid: ${z.prettifyError(parsed.error)}`)
        const { source, data, name, access_level: level, encrypt } = parsed.data
        const wanted = optionsOf(request, {
          ...(name !== undefined && { name }),
          ...(level !== undefined && { level }),
          ...(encrypt !== undefined && { encrypt }),
        })
        if (source === 'url') {
          const item = await imported(services, data, wanted, request.caller?.token, disconnection(reply))
          return { success: true as const, ...(await oipMediaOf(item, services, request)) }
        }
        const bytes = bytesOf(data)
        const whole = async function* () {
          yield bytes
        }
        return await receive(request, reply, { name: name ?? 'file', size: bytes.length, bytes: whole }, wanted)
      },
    )
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/api/media/:mediaId',
    exposeHeadRoute: false,
    schema: {
      tags: ['doors'],
      summary: 'The bytes, as the OIP media API gives them; of a private item to its owner and readers',
      params: mediaParams,
      response: {
        200: { description: 'The bytes', content: { '*/*': { schema: z.any() } } },
        ...problems(400, 401, 403, 404, 410, 416, 503),
      },
    },
    handler: async (request, reply) => {
      const { mediaId } = request.params
      return await seen(request, mediaId, () => serve(request, reply, mediaId))
    },
  })

  app.get(
    '/api/media/:mediaId/info',
    {
      schema: {
        tags: ['doors'],
        summary: 'What is known of an item, as the OIP media API tells it',
        params: mediaParams,
        response: {
          200: z.object({
            media: oipMediaSchema,
            seeding: z.object({ active: z.boolean(), copies: z.int(), peers: z.int() }),
          }),
          ...problems(400, 401, 403, 404, 410, 503),
        },
      },
    },
    async (request) => {
      const { mediaId } = request.params
      const item = await seen(request, mediaId, () => itemOf(library, request, mediaId))
      const { infoHash } = item
      return {
        media: await oipMediaOf(item, services, request),
        seeding: {
          active: !(mayChange(request, item) && library.isPaused(infoHash)),
          copies: replication.copies(infoHash),
          peers: replication.peers().length,
        },
      }
    },
  )

  app.get(
    '/media/manifest',
    {
      schema: {
        tags: ['doors'],
        summary: "An item's signed description",
        querystring: z.object({ id: mediaIdSchema }),
        response: { 200: z.looseObject({ infoHash: z.string() }), ...problems(400, 401, 403, 404, 410, 503) },
      },
    },
    async (request) => {
      const { id } = request.query
      const item = await seen(request, id, () => itemOf(library, request, id))
      const manifest = graph.get('m', item.publisher, item.infoHash)?.body
      if (manifest === undefined) throw new MediaNotFoundError(id)
      return manifest
    },
  )

  app.post(
    '/media/presence',
    {
      config: { scope: 'graph:write', always: true },
      schema: {
        tags: ['doors'],
        summary: 'Ask how many nodes hold an item; what the asker says of itself is not taken',
        body: z.looseObject({ mediaId: mediaIdSchema }),
        response: {
          200: doneSchema.extend({ mediaId: z.string(), copies: z.int(), timestamp: z.int() }),
          ...problems(400, 401, 403, 404, 410, 413, 415, 503),
        },
      },
    },
    async (request) => {
      const { mediaId } = request.body
      const { infoHash } = await seen(request, mediaId, () => itemOf(library, request, mediaId))
      return { success: true as const, mediaId, copies: replication.copies(infoHash), timestamp: now() }
    },
  )

  app.post(
    '/api/media/:mediaId/replicate',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['doors'],
        summary: 'Ask for a copy here, as of the OIP media API; placement decides',
        params: mediaParams,
        response: { 200: doneSchema.extend({ message: z.string() }), ...problems(400, 401, 403, 404, 410) },
      },
    },
    async (request) => {
      const { mediaId } = request.params
      const message = await seen(request, mediaId, () => askForCopy(services, request, mediaId))
      return { success: true as const, message }
    },
  )
}

/** @throws InvalidInputError */
function bytesOf(data: string): Uint8Array {
  const plain = data.replace(/^data:[^,]{0,200};base64,/, '')
  if (!z.base64().safeParse(plain).success) throw new InvalidInputError('data is not base64.')
  return Buffer.from(plain, 'base64')
}
