import { z } from 'zod'
import { may, mayChange, NotYourItemError, type Viewer } from '../../access/index.ts'
import type { Api } from '../api.ts'
import { MediaNotFoundError, MediaRetractedError } from '../errors.ts'
import { mediaIdSchema } from '../media/media-id.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { healthSchema, healthView } from './health-view.ts'

/** `POST /v1/media/:id/repair`: look at an item now, whatever back-off or refusal it waits out. */
export async function repairRoutes(app: Api, services: Services): Promise<void> {
  const { standing } = services

  app.post(
    '/v1/media/:id/repair',
    {
      config: { scope: 'media:write' },
      schema: {
        tags: ['media'],
        summary: 'Have an item looked at now, ahead of others',
        description:
          'Ends the back-off of a copy that failed here, forgets that this node refused it for a failure, and has what is wrong fetched. Answers at once with how the item stands. Nothing is fetched that placement does not want here.',
        params: z.object({ id: mediaIdSchema }),
        response: {
          202: z.object({ id: z.string(), replication: healthSchema }).meta({ id: 'Repair' }),
          ...problems(400, 401, 403, 404, 410, 503),
        },
      },
    },
    async (request, reply) => {
      const infoHash = publishedItem(services, request, request.params.id)
      const health = standing.repair(infoHash) ? standing.health(infoHash) : undefined
      if (health === undefined) throw new MediaNotFoundError(request.params.id)
      return await reply.code(202).send({ id: infoHash, replication: healthView(health) })
    },
  )
}

/**
 * The infohash of an item of the caller's that is known here, or for administrators of any that is published.
 * @throws MediaNotFoundError, MediaRetractedError, NotYourItemError
 */
function publishedItem({ library, replication }: Services, viewer: Viewer, id: string): string {
  const head = library.head(id)
  if (head !== undefined) {
    if (!mayChange(viewer, head)) {
      if (may(viewer, head) === 'hidden') throw new MediaNotFoundError(id)
      throw new NotYourItemError(id)
    }
    if (head.state === 'retracted') throw new MediaRetractedError(id)
    return head.infoHash
  }
  if (viewer.caller?.admin === true && id.length === 40 && replication.isPublished(id)) return id
  throw new MediaNotFoundError(id)
}
