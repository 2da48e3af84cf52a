import { infoHashSchema, nodeIdSchema, UnsignedRequestError } from '@eldernode/core'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { type Bytes, ClientGoneError, FileSender } from '../content/file-sender.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const holder = nodeIdSchema.describe("The id of the node that is audited: this one's, else 421.")
const binary = z.any().meta({ type: 'string', format: 'binary' })
const hiddenFromCaches = { 'cache-control': 'no-store' }

/** Buffers of 1 MiB for pieces being sent: as many as the door lets in at a time. */
const buffers = 16
const sampleBytes = 16_384

/** Where auditors ask for pieces (docs/protocol.md): from this node's disk, as they lie there. */
export async function auditRoutes(app: Api, { audits, log, limits }: Services): Promise<void> {
  const sender = new FileSender({ ...limits, buffers })

  app.get(
    '/v1/audits/:holder',
    {
      schema: {
        tags: ['network'],
        summary: 'Whether that node answers audits here',
        description: 'Reads no disk, so that the round trip can be measured.',
        params: z.object({ holder }),
        response: { 204: z.undefined(), ...problems(400, 421) },
      },
    },
    async (request, reply) => {
      audits.door.assertSelf(request.params.holder)
      return await reply.code(204).headers(hiddenFromCaches).send(undefined)
    },
  )

  app.get(
    '/v1/audits/:holder/:infoHash',
    {
      schema: {
        tags: ['network'],
        summary: 'The metainfo of an item that is audited',
        description: 'For members with the role auditor, by a signed request.',
        params: z.object({ holder, infoHash: infoHashSchema }),
        response: {
          200: { description: 'BEP 3 metainfo', content: { 'application/x-bittorrent': { schema: binary } } },
          ...problems(400, 401, 403, 404, 410, 421, 503),
        },
      },
    },
    async (request, reply) => {
      const { params } = request
      const metainfo = audits.door.metainfo(auditorOf(request), params.holder, params.infoHash)
      return await reply.type('application/x-bittorrent').headers(hiddenFromCaches).send(Buffer.from(metainfo))
    },
  )

  app.get(
    '/v1/audits/:holder/:infoHash/:piece',
    {
      schema: {
        tags: ['network'],
        summary: 'One piece of an item that is audited, as it lies on the disk',
        description: 'For members with the role auditor, by a signed request. Four at a time of each, 16 of all.',
        params: z.object({
          holder,
          infoHash: infoHashSchema,
          piece: z.coerce
            .number()
            .int()
            .min(0)
            .max(2 ** 31),
        }),
        querystring: z.object({
          sample: z.coerce
            .number()
            .int()
            .min(0)
            .max(2 ** 31)
            .optional()
            .describe('Where 16 KiB of the piece begin that are sent ahead of it.'),
        }),
        response: {
          200: { description: 'The piece', content: { 'application/octet-stream': { schema: binary } } },
          ...problems(400, 401, 403, 404, 410, 421, 503),
        },
      },
    },
    async (request, reply) => {
      const { params } = request
      const local = await audits.door.open(auditorOf(request), params.holder, params.infoHash, params.piece)
      const ahead = sampleOf(local.length, request.query.sample)
      const length = local.length + ahead.end - ahead.start
      const headers = { 'content-type': 'application/octet-stream', 'content-length': length }
      void reply.headers({ ...hiddenFromCaches, ...headers })
      reply.hijack()
      try {
        reply.raw.writeHead(200, reply.getHeaders() as Record<string, string | number>)
        await sender.send(local, reply.raw, [ahead, { start: 0, end: local.length }], {})
      } catch (error) {
        if (!(error instanceof ClientGoneError)) log.error({ err: error, ...params }, 'a piece could not be sent whole')
      } finally {
        await local.close()
      }
      return reply
    },
  )
}

/** What is sent ahead of a piece of so many bytes. */
function sampleOf(length: number, start: number | undefined): Bytes {
  if (start === undefined) return { start: 0, end: 0 }
  return { start: Math.min(start, length), end: Math.min(start + sampleBytes, length) }
}

/** @throws UnsignedRequestError */
function auditorOf({ member }: FastifyRequest): string {
  if (member === undefined) throw new UnsignedRequestError('audits are for members: sign the request as one')
  return member
}
