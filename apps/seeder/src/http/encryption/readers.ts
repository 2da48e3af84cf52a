import { grantKeyOf, grantSchema, readerOf, recipientSchema } from '@eldernode/core'
import { z } from 'zod'
import { register, registrationSchema } from '../../encryption/index.ts'
import type { Item } from '../../library/index.ts'
import type { Api } from '../api.ts'
import { GrantNotFoundError } from '../errors.ts'
import { mediaIdSchema, ownRecordOf, recordOf } from '../media/media-id.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const params = z.object({ id: mediaIdSchema })
const readerSchema = z.string().min(1).max(100).describe('An age recipient, or the name of a registered reader.')

const readersSchema = z
  .object({ id: z.string().describe('The infohash.'), readers: z.array(z.string()).describe('age recipients.') })
  .meta({ id: 'Readers' })

/** Who may read encrypted items. */
export async function readerRoutes(app: Api, services: Services): Promise<void> {
  const { library, encryption, graph } = services
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
      const item = ownRecordOf(library, request, request.params.id)
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
      const item = ownRecordOf(library, request, request.params.id)
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
      const item = ownRecordOf(library, request, request.params.id)
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
}
