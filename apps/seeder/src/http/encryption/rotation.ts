import { z } from 'zod'
import { NotEncryptedError } from '../../encryption/index.ts'
import type { Item } from '../../library/index.ts'
import type { Api } from '../api.ts'
import { assertOwn, itemOf, mediaIdSchema, ownRecordOf } from '../media/media-id.ts'
import { mediaSchema, openViewOf } from '../media/media-view.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const params = z.object({ id: mediaIdSchema })

const rotationSchema = z
  .object({
    id: z.string().describe('The infohash.'),
    everySeconds: z.int().nullable().describe('Null without a schedule.'),
    nextAt: z.int().nullable().describe('Milliseconds since 1970.'),
  })
  .meta({ id: 'Rotation' })

/** New identities of encrypted items. */
export async function rotationRoutes(app: Api, services: Services): Promise<void> {
  const { library, encryption, trackers } = services

  app.post(
    '/v1/media/:id/rotate',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['encryption'],
        summary: 'Encrypt an item anew under a new identity',
        description:
          'Answers with its successor, which its readers get a grant for; the old item is retracted. A reader that was removed before cannot read the successor.',
        params,
        response: { 201: mediaSchema, ...problems(400, 403, 404, 409, 410, 503, 507) },
      },
    },
    async (request, reply) => {
      const item = itemOf(library, request, request.params.id)
      assertOwn(request, item, request.params.id)
      const { item: successor } = await services.rotations.rotate(item)
      const shown = { endpoints: services.endpoints(), trackers, library, encryption, viewer: request }
      const view = await openViewOf(successor, shown)
      return await reply.code(201).header('location', view.links.self).send(view)
    },
  )

  app.get(
    '/v1/media/:id/rotation',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['encryption'],
        summary: 'When an encrypted item is rotated by itself',
        params,
        response: { 200: rotationSchema, ...problems(400, 403, 404, 409, 410, 503) },
      },
    },
    async (request) => {
      const item = ownRecordOf(library, request, request.params.id)
      return rotationOf(item)
    },
  )

  app.put(
    '/v1/media/:id/rotation',
    {
      config: { withoutStorage: true, scope: 'media:write' },
      schema: {
        tags: ['encryption'],
        summary: 'Have an encrypted item rotated again and again, or not',
        description: 'Each successor takes the schedule over. Null ends it.',
        params,
        body: z.strictObject({ everySeconds: z.int().min(60).max(315_360_000).nullable() }),
        response: { 200: rotationSchema, ...problems(400, 403, 404, 409, 410, 503) },
      },
    },
    async (request) => {
      const item = ownRecordOf(library, request, request.params.id)
      if (library.keys.get(item.infoHash) === undefined) throw new NotEncryptedError(item.infoHash)
      const { everySeconds } = request.body
      services.rotations.schedule(item.infoHash, everySeconds === null ? undefined : everySeconds * 1000)
      return rotationOf(item)
    },
  )

  const rotationOf = ({ infoHash }: Item) => {
    const key = library.keys.get(infoHash)
    if (key === undefined) throw new NotEncryptedError(infoHash)
    const { rotateEvery, rotateAt } = key
    return {
      id: infoHash,
      everySeconds: rotateEvery === undefined ? null : rotateEvery / 1000,
      nextAt: rotateAt ?? null,
    }
  }
}
