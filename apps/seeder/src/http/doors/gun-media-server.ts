import multipart from '@fastify/multipart'
import { sha256Schema } from '@eldernode/core'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { UnauthorizedError, type Viewer } from '../../access/index.ts'
import { publish } from '../../publishing/index.ts'
import type { Item } from '../../library/index.ts'
import type { Api } from '../api.ts'
import type { Serve } from '../content/content.ts'
import { replay } from '../idempotency/idempotency.ts'
import { disconnection } from '../uploads/incoming.ts'
import { parseItemOptions, uploadOf } from '../media/item-options.ts'
import { itemOf } from '../media/media-id.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import type { RunningUploads } from '../uploads/running-uploads.ts'
import { formLimits, readForm } from './form.ts'
import { originalOf } from './original.ts'
import { askForCopy } from './replicate.ts'
import { fileIdParams, flag, list } from './words.ts'

const metadataSchema = z
  .object({
    fileId: sha256Schema,
    fileName: z.string(),
    originalName: z.string(),
    contentType: z.string(),
    size: z.int(),
    hash: z.string().describe('sha256:<hex>'),
    uploadedAt: z.string(),
    peers: z.array(z.string()).describe('Nodes that are known to this one.'),
    replicas: z.int().describe('Copies that are wanted.'),
    encrypted: z.boolean(),
  })
  .meta({ id: 'FileMetadata' })

const doneSchema = z.object({ success: z.literal(true), message: z.string() })

const formBody = z.any().meta({
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', format: 'binary' },
    encrypt: { type: 'string', description: 'true or false' },
    readerPubKeys: { type: 'string', description: 'age recipients, by commas or as a JSON list' },
  },
})

/** The routes of the GUN media server, as its clients know them. `fileId` is the SHA-256. */
export async function gunMediaServerDoor(
  app: Api,
  services: Services,
  { serve, uploads }: { serve: Serve; uploads: RunningUploads },
): Promise<void> {
  const { library, replication, compat: standard, now } = services
  const peers = () => replication.peers().map(({ heartbeat }) => heartbeat.endpoints.http)

  const metadataOf = async (item: Item, viewer: Viewer): Promise<z.output<typeof metadataSchema>> => {
    const { original } = await originalOf(item, { ...services, endpoints: services.endpoints(), viewer })
    return {
      fileId: item.sha256,
      fileName: original.name,
      originalName: original.name,
      contentType: original.type,
      size: original.size,
      hash: `sha256:${item.sha256}`,
      uploadedAt: new Date(item.createdAt).toISOString(),
      peers: peers(),
      replicas: item.replicas.target,
      encrypted: library.keys.isEncrypted(item.infoHash),
    }
  }

  await app.register(async (scope: FastifyInstance) => {
    const form = scope.withTypeProvider<ZodTypeProvider>()
    await form.register(multipart, { limits: formLimits })
    form.post(
      '/upload',
      {
        config: { scope: 'media:write', print: 'form' },
        schema: {
          tags: ['doors'],
          summary: 'Publish one file, as the GUN media server does',
          consumes: ['multipart/form-data'],
          body: formBody,
          response: {
            200: z.object({
              success: z.literal(true),
              fileId: sha256Schema,
              fileName: z.string(),
              url: z.string(),
              metadata: metadataSchema,
            }),
            ...problems(400, 408, 409, 413, 415, 422, 503, 507),
          },
        },
      },
      async (request, reply) => {
        if (request.caller === undefined) throw new UnauthorizedError()
        const sent = await readForm(request, services)
        if ('status' in sent) return await replay(reply, sent)
        try {
          const readers = list(sent.fields['readerPubKeys'])
          const isPrivate = standard.private
          const encrypt = isPrivate || readers.length > 0 || (flag(sent.fields['encrypt']) ?? standard.encrypt)
          const options = parseItemOptions(
            { encrypt, access: isPrivate ? 'private' : 'public', ...(readers.length > 0 && { readers }) },
            'form',
          )
          const { owner } = request.caller
          const wanted = uploadOf(options, { owner, replicas: services.replicas, now: now() })
          const { name, size, bytes } = sent.file
          const signal = disconnection(reply)
          const files = (async function* () {
            yield { path: name, bytes: bytes() }
          })()
          sent.release()
          const { item } = await uploads.track(publish(services, files, { ...wanted, signal, expectedSize: size }))
          const metadata = { ...(await metadataOf(item, request)), originalName: name }
          const url = `/file/${item.sha256}`
          return { success: true as const, fileId: item.sha256, fileName: metadata.fileName, url, metadata }
        } finally {
          await sent.discard()
        }
      },
    )
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/file/:fileId',
    exposeHeadRoute: false,
    schema: {
      tags: ['doors'],
      summary: 'The bytes of a file, as the GUN media server gives them',
      params: fileIdParams,
      response: {
        200: { description: 'The bytes', content: { '*/*': { schema: z.any() } } },
        ...problems(400, 404, 410, 416, 503),
      },
    },
    handler: (request, reply) => serve(request, reply, request.params.fileId),
  })

  app.get(
    '/metadata/:fileId',
    {
      schema: {
        tags: ['doors'],
        summary: 'What is known of a file, as the GUN media server tells it',
        params: fileIdParams,
        response: {
          200: metadataSchema,
          404: z.object({ error: z.string() }),
          ...problems(400, 410, 503),
        },
      },
    },
    async (request, reply) => {
      const { fileId } = request.params
      try {
        return await metadataOf(itemOf(library, request, fileId), request)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'media_not_found')) throw error
        return await reply.code(404).send({ error: error.message })
      }
    },
  )

  app.post(
    '/register-peer',
    {
      config: { scope: 'graph:write', always: true },
      schema: {
        tags: ['doors'],
        summary: 'Name a peer, as to the GUN media server: known ones are those whose signed heartbeats are heard',
        body: z.object({
          peerUrl: z.url({ protocol: /^(https?|wss?)$/ }).max(300),
          capabilities: z.unknown().optional(),
        }),
        response: { 200: doneSchema.extend({ totalPeers: z.int() }), ...problems(400, 413, 415) },
      },
    },
    async ({ body: { peerUrl } }) => {
      const known = peers()
      const { host } = new URL(peerUrl)
      const isKnown = known.some((url) => new URL(url).host === host)
      const message = isKnown ? 'This peer is heard.' : 'Nothing signed was heard of this peer: admit it as a member.'
      return { success: true as const, message, totalPeers: known.length }
    },
  )

  app.post(
    '/replicate/:fileId',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['doors'],
        summary: 'Ask for a copy here, as of the GUN media server; placement decides',
        params: fileIdParams,
        body: z.object({ sourcePeerUrl: z.url().max(300).optional() }).optional(),
        response: { 200: doneSchema, ...problems(400, 404, 410, 413, 415) },
      },
    },
    async (request) => ({
      success: true as const,
      message: await askForCopy(services, request, request.params.fileId),
    }),
  )
}
