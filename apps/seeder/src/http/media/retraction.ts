import { z } from 'zod'
import type { ItemHead } from '../../library/index.ts'
import type { Api } from '../api.ts'
import { MediaNotFoundError, NotPublisherError } from '../errors.ts'
import { assertOwn, mediaIdSchema } from './media-id.ts'
import { mediaSchema, viewOf } from './media-view.ts'
import { problems } from '../problem.ts'
import { restore, retract } from '../../publishing/index.ts'
import type { Services } from '../services.ts'

const retractionSchema = z
  .object({
    id: z.string(),
    state: z.enum(['retracted', 'dropped']).describe('`dropped`: only this copy is gone.'),
    purgeAfter: z.int().optional().describe('When the bytes go, in milliseconds since 1970.'),
  })
  .meta({ id: 'Retraction' })
type Retraction = z.output<typeof retractionSchema>

/** Take an item of one's own down everywhere, or drop the copy held here; and bring it back. */
export async function retractionRoutes(app: Api, services: Services): Promise<void> {
  app.delete(
    '/v1/media/:id',
    {
      config: { withoutStorage: true, scope: 'media:delete' },
      schema: {
        tags: ['media'],
        summary: 'Retract an item published here, or drop the local copy of any',
        description: 'Its previews go with it. Until the bytes are gone it can be undone. Once more changes nothing.',
        params: z.object({ id: mediaIdSchema }),
        querystring: z.object({
          local: z.stringbool().optional().describe('Drop the copy of this node only.'),
          reason: z.string().max(200).optional().describe('Published with the retraction.'),
        }),
        response: { 200: retractionSchema, ...problems(400, 403, 404, 409, 503) },
      },
    },
    async (request) => {
      const { id } = request.params
      const { local, reason } = request.query
      const item = services.library.head(id)
      const infoHash = item?.infoHash ?? id
      // What is not held may still be published here; whose it was, nobody but the operator can say.
      if (item !== undefined) assertOwn(request, item, id)
      else if (request.caller?.admin !== true) throw new MediaNotFoundError(id)
      if (local === true) return await drop(services, item, infoHash)
      if (services.graph.get('m', services.id, infoHash) === undefined) throw refusal(services, item, infoHash)
      const purgeAfter = await retract(services, infoHash, reason)
      return { id: infoHash, state: 'retracted' as const, purgeAfter }
    },
  )
}

/** `POST /v1/media/:id/restore`: until the bytes are gone. */
export async function restorationRoutes(app: Api, services: Services): Promise<void> {
  app.post(
    '/v1/media/:id/restore',
    {
      config: { scope: 'media:delete' },
      schema: {
        tags: ['media'],
        summary: 'Undo the retraction of an item published here',
        description:
          'Its previews come back with it. One that is live stays as it is. An expiry that has passed is dropped.',
        params: z.object({ id: mediaIdSchema }),
        response: { 200: mediaSchema, ...problems(400, 401, 403, 404, 409, 503) },
      },
    },
    async (request) => {
      const { id } = request.params
      const { library, graph } = services
      const head = library.head(id)
      if (head === undefined) throw new MediaNotFoundError(id)
      assertOwn(request, head, id)
      if (graph.get('m', services.id, head.infoHash) === undefined) throw refusal(services, head, id)
      await restore(services, head.infoHash)
      const item = library.record(head.infoHash)
      if (item === undefined) throw new MediaNotFoundError(id)
      return viewOf(item, { ...services, endpoints: services.endpoints(), viewer: request })
    },
  )
}

async function drop(
  { library, swarm, replication }: Services,
  item: ItemHead | undefined,
  id: string,
): Promise<Retraction> {
  if (item === undefined) throw new MediaNotFoundError(id)
  await replication.leave(item.infoHash)
  await swarm.remove(item.infoHash)
  await library.remove(item.infoHash)
  // Nobody else's word on it changes when they have enough copies: how it stands without this one is found out here.
  replication.touch(item.infoHash)
  return { id: item.infoHash, state: 'dropped' }
}

function refusal({ graph }: Services, item: ItemHead | undefined, id: string): Error {
  if (item === undefined) return new MediaNotFoundError(id)
  const publisher = graph.speakerOf(item.publisher)
  const endpoint = graph.get('hb', publisher, 'hb')?.body.endpoints.http
  return new NotPublisherError(item.infoHash, publisher, endpoint)
}
