import { z } from 'zod'
import { type Manifest, retractManifest } from '@eldernode/core'
import type { ItemHead } from '../library/index.ts'
import type { Api } from './api.ts'
import { MediaNotFoundError, NotPublisherError } from './errors.ts'
import { assertOwn, mediaIdSchema } from './media-id.ts'
import { problems } from './problem.ts'
import type { Services } from './services.ts'

const retractionSchema = z
  .object({
    id: z.string(),
    state: z.enum(['retracted', 'dropped']).describe('`dropped`: only this copy is gone.'),
    purgeAfter: z.int().optional().describe('When the bytes go, in milliseconds since 1970.'),
  })
  .meta({ id: 'Retraction' })
type Retraction = z.output<typeof retractionSchema>

/** `DELETE /v1/media/:id`: take an item of one's own down everywhere, or drop the copy held here. */
export async function retractionRoutes(app: Api, services: Services): Promise<void> {
  app.delete(
    '/v1/media/:id',
    {
      config: { withoutStorage: true, scope: 'media:delete' },
      schema: {
        tags: ['media'],
        summary: 'Retract an item published here, or drop the local copy of any',
        description: 'Publishing the same bytes under the same name again undoes a retraction.',
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
      const published = services.graph.get('m', services.id, infoHash)?.body
      if (published === undefined) throw refusal(services, item, infoHash)
      return await retract(services, item, published, reason)
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
  return { id: item.infoHash, state: 'dropped' }
}

async function retract(
  { graph, library, swarm, replication, purgeAfterMs, retentionChanged, now }: Services,
  item: ItemHead | undefined,
  published: Manifest,
  reason: string | undefined,
): Promise<Retraction> {
  const { infoHash } = published
  const purgeAfter = (published.state === 'retracted' ? published.purgeAfter : undefined) ?? now() + purgeAfterMs
  if (published.state === 'live') {
    const change = { purgeAfter, ...(reason !== undefined && { reason }) }
    await graph.publish('m', infoHash, retractManifest(published, change))
  }
  // An item of two publishers is served until the last of them retracts it.
  if (item?.state === 'live' && !replication.isPublished(infoHash)) {
    library.retract(infoHash, purgeAfter)
    await swarm.remove(infoHash)
    retentionChanged()
  }
  replication.touch(infoHash)
  return { id: infoHash, state: 'retracted', purgeAfter }
}

function refusal({ graph }: Services, item: ItemHead | undefined, id: string): Error {
  if (item === undefined) return new MediaNotFoundError(id)
  const endpoint = graph.get('hb', item.publisher, 'hb')?.body.endpoints.http
  return new NotPublisherError(item.infoHash, item.publisher, endpoint)
}
