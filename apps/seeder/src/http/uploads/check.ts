import { sha256Schema } from '@eldernode/core'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { UnauthorizedError } from '../../access/index.ts'
import type { Api } from '../api.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const hash = z.string().toLowerCase().pipe(sha256Schema)

const bodySchema = z
  .strictObject({
    sha256: z
      .union([hash.transform((one) => [one]), z.array(hash).min(1).max(500)])
      .describe('Of the bytes as they would be sent, or of the canonical [path, size, sha256] list of several files.'),
  })
  .meta({ id: 'CheckRequest' })

const answerSchema = z
  .object({
    found: z.array(
      z.object({
        sha256: z.string(),
        id: z.string().describe('The infohash of the oldest item with these bytes.'),
        link: z.string(),
      }),
    ),
  })
  .meta({ id: 'CheckAnswer' })

/** `POST /v1/media/check`: whether bytes need to be sent at all. */
export async function checkRoutes(app: Api, services: Services): Promise<void> {
  const { library, encryption } = services

  app.post(
    '/v1/media/check',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['media'],
        summary: 'Which of these bytes are published here already',
        description:
          "Public items, and the caller's own; of its own encrypted ones the SHA-256 before encryption counts.",
        body: bodySchema,
        response: { 200: answerSchema, ...problems(400, 403, 503) },
      },
    },
    async (request) => {
      const owner = ownerOf(request)
      const found = [...new Set(request.body.sha256)].flatMap((sha256) => {
        const id = library.ownOrPublic(sha256, owner)?.infoHash ?? encryption.withContent(owner, sha256)[0]?.infoHash
        return id === undefined ? [] : [{ sha256, id, link: `${services.endpoints().http}/v1/media/${id}` }]
      })
      return { found }
    },
  )
}

function ownerOf({ caller }: FastifyRequest): string {
  if (caller === undefined) throw new UnauthorizedError()
  return caller.owner
}
