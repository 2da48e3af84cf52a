import { grantKeyOf, grantSchema, readerOf, recipientSchema } from '@eldernode/core'
import { z } from 'zod'
import { NotEncryptedError, register, registrationSchema } from '../../encryption/index.ts'
import type { Item } from '../../library/index.ts'
import type { Api } from '../api.ts'
import { GrantNotFoundError } from '../errors.ts'
import { assertOwn, itemOf, mediaIdSchema, recordOf } from '../media/media-id.ts'
import { mediaSchema, openViewOf } from '../media/media-view.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const params = z.object({ id: mediaIdSchema })
const readerSchema = z.string().min(1).max(100).describe('An age recipient, or the name of a registered reader.')

const readersSchema = z
  .object({ id: z.string().describe('The infohash.'), readers: z.array(z.string()).describe('age recipients.') })
  .meta({ id: 'Readers' })

const rotationSchema = z
  .object({
    id: z.string().describe('The infohash.'),
    everySeconds: z.int().nullable().describe('Null without a schedule.'),
    nextAt: z.int().nullable().describe('Milliseconds since 1970.'),
  })
  .meta({ id: 'Rotation' })

/** Readers and identities of encrypted items. */
export async function encryptionRoutes(app: Api, services: Services): Promise<void> {
  const { library, encryption, graph, trackers } = services
  const { grants } = encryption

  app.get(
    '/v1/media/:id/readers',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['encryption'],
        summary: 'Who may read an encrypted item, besides its owner',
        params,
        response: { 200: readersSchema, ...problems(400, 403, 404, 409, 410, 503) },
      },
    },
    async (request) => {
      const { item } = recordOf(library, request, request.params.id)
      assertOwn(request, item, request.params.id)
      return readersOf(item)
    },
  )

  app.post(
    '/v1/media/:id/readers',
    {
      config: { withoutStorage: true, scope: 'media:write' },
      schema: {
        tags: ['encryption'],
        summary: 'Let more readers read an encrypted item',
        description: 'Each gets a grant: the identity of the item, encrypted for it. The bytes stay as they are.',
        params,
        body: z.strictObject({ readers: z.array(readerSchema).min(1).max(100) }),
        response: { 200: readersSchema, ...problems(400, 403, 404, 409, 410, 422, 503) },
      },
    },
    async (request) => {
      const { item } = recordOf(library, request, request.params.id)
      assertOwn(request, item, request.params.id)
      await grants.add(item.infoHash, request.body.readers)
      return readersOf(item)
    },
  )

  app.delete(
    '/v1/media/:id/readers/:reader',
    {
      config: { withoutStorage: true, scope: 'media:write' },
      schema: {
        tags: ['encryption'],
        summary: 'Take the grant of a reader back',
        description: 'Whoever has opened it keeps what it opens: rotate the item to shut a reader out.',
        params: params.extend({ reader: readerSchema }),
        response: { 200: readersSchema, ...problems(400, 403, 404, 409, 410, 503) },
      },
    },
    async (request) => {
      const { item } = recordOf(library, request, request.params.id)
      assertOwn(request, item, request.params.id)
      await grants.remove(item.infoHash, request.params.reader)
      return readersOf(item)
    },
  )

  app.get(
    '/v1/media/:id/grant',
    {
      schema: {
        tags: ['encryption'],
        summary: "What opens an encrypted item for one reader: an age file of the item's identity, base64",
        params,
        querystring: z.object({ reader: recipientSchema }),
        response: { 200: grantSchema.meta({ id: 'Grant' }), ...problems(400, 404, 410, 503) },
      },
    },
    async (request) => {
      const { item } = recordOf(library, request, request.params.id)
      const { infoHash, publisher } = item
      const reader = readerOf(infoHash, request.query.reader)
      const grant = graph.get('g', publisher, grantKeyOf({ infoHash, reader }))?.body
      if (grant?.wrapped === undefined) throw new GrantNotFoundError(infoHash)
      return grant
    },
  )

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
      const { item } = recordOf(library, request, request.params.id)
      assertOwn(request, item, request.params.id)
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
      const { item } = recordOf(library, request, request.params.id)
      assertOwn(request, item, request.params.id)
      if (library.keys.get(item.infoHash) === undefined) throw new NotEncryptedError(item.infoHash)
      const { everySeconds } = request.body
      services.rotations.schedule(item.infoHash, everySeconds === null ? undefined : everySeconds * 1000)
      return rotationOf(item)
    },
  )

  app.post(
    '/v1/readers',
    {
      config: { withoutStorage: true, signed: true },
      schema: {
        tags: ['encryption'],
        summary: 'Be a reader under the name of a GUN SEA key',
        description:
          'Signed by that key itself, so that no token is needed: `signed` is what SEA.sign({recipient, node, at}, pair) gives, for the age recipient to be granted, the id of this node and the time in milliseconds since 1970. The newest counts.',
        body: registrationSchema,
        response: {
          200: z.object({ reader: z.string(), recipient: z.string() }).meta({ id: 'Reader' }),
          ...problems(400, 403, 503),
        },
      },
    },
    async ({ body }) => {
      const { id: reader, recipient } = await register(body, { ...services, keys: library.keys })
      return { reader, recipient }
    },
  )

  const readersOf = ({ infoHash }: Item) => ({
    id: infoHash,
    readers: grants.of(infoHash).filter((recipient) => recipient !== services.recipient),
  })

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
