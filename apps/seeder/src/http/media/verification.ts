import { z } from 'zod'
import type { Api } from '../api.ts'
import { VerificationsBusyError } from '../errors.ts'
import { disconnection } from '../uploads/incoming.ts'
import { ownRecordOf, mediaIdSchema, recordOf } from './media-id.ts'
import { conditionSchema, verifiedAtOf } from './media-view.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

/** A disk has better things to do than to be read by several at once. */
const most = 2

const verificationSchema = z
  .object({
    id: z.string(),
    ok: z.boolean().describe('Whether every byte is what was published.'),
    condition: conditionSchema,
    bytes: z.int().describe('How many were read and hashed.'),
    verifiedAt: z.int().describe('Milliseconds since 1970.'),
  })
  .meta({ id: 'Verification' })

/** `POST /v1/media/:id/verify`: hash every byte of an item again, now. What is wrong is fetched again by itself. */
export async function verificationRoutes(app: Api, services: Services): Promise<void> {
  const { library } = services
  let running = 0

  app.post(
    '/v1/media/:id/verify',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['media'],
        summary: 'Hash every byte of an item again',
        description:
          'Answers when it is done; a client that leaves ends it. Wrong bytes are fetched again by themselves.',
        params: z.object({ id: mediaIdSchema }),
        response: { 200: verificationSchema, ...problems(400, 401, 403, 404, 410, 503) },
      },
    },
    async (request, reply) => {
      const item = ownRecordOf(library, request, request.params.id)
      if (running >= most) throw new VerificationsBusyError(most)
      running++
      try {
        const { infoHash, size } = item
        const ok = await library.verify(infoHash, { all: true, signal: disconnection(reply) })
        const { condition } = recordOf(library, request, infoHash)
        return { id: infoHash, ok, condition, bytes: size, verifiedAt: verifiedAtOf(library, infoHash) }
      } finally {
        running--
      }
    },
  )
}
