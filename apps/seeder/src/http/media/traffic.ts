import { z } from 'zod'
import type { Viewer } from '../../access/index.ts'
import type { Controls } from '../../library/index.ts'
import type { Api } from '../api.ts'
import { MediaNotFoundError, MediaRetractedError } from '../errors.ts'
import { assertOwn, mediaIdSchema } from './media-id.ts'
import { itemLimitsSchema, trafficOf } from './media-view.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const params = z.object({ id: mediaIdSchema })

const trafficSchema = z
  .object({ id: z.string().describe('The infohash.'), paused: z.boolean(), limits: itemLimitsSchema })
  .meta({ id: 'Traffic' })

const response = { 200: trafficSchema, ...problems(400, 403, 404, 410, 503) }

/** What an item's owner sets for its traffic, and the operator for any item, held or on its way here. */
export async function trafficRoutes(app: Api, services: Services): Promise<void> {
  const { library, swarm, replication } = services

  const change = (infoHash: string, controls: Partial<Controls>) => {
    library.control(infoHash, { ...library.controls(infoHash), ...controls })
  }
  const view = (infoHash: string) => ({ id: infoHash, ...trafficOf(library.controls(infoHash)) })

  app.post(
    '/v1/media/:id/pause',
    {
      config: { always: true, scope: 'media:write' },
      schema: {
        tags: ['media'],
        summary: 'End all traffic of an item, until it is resumed',
        description: 'Its bytes stay held and readable over the API; peers and web seed clients get none of them.',
        params,
        response,
      },
    },
    async (request) => {
      const infoHash = known(services, request, request.params.id)
      change(infoHash, { paused: true })
      await replication.pause(infoHash)
      return view(infoHash)
    },
  )

  app.post(
    '/v1/media/:id/resume',
    {
      config: { always: true, scope: 'media:write' },
      schema: { tags: ['media'], summary: 'Let the traffic of a paused item go on', params, response },
    },
    async (request) => {
      const infoHash = known(services, request, request.params.id)
      change(infoHash, { paused: false })
      replication.touch(infoHash)
      return view(infoHash)
    },
  )

  app.put(
    '/v1/media/:id/limits',
    {
      config: { always: true, scope: 'media:write' },
      schema: {
        tags: ['media'],
        summary: "Set an item's own limits, in bytes per second",
        description:
          '0 is no limit, whatever holds for other items; null, or nothing, is the limit that holds for every item. Those of all items together hold in any case.',
        params,
        body: z.strictObject(itemLimitsSchema.shape).partial(),
        response,
      },
    },
    async (request) => {
      const { uploadLimit, downloadLimit } = request.body
      const infoHash = known(services, request, request.params.id)
      library.control(infoHash, {
        paused: library.isPaused(infoHash),
        ...(typeof uploadLimit === 'number' && { uploadLimit }),
        ...(typeof downloadLimit === 'number' && { downloadLimit }),
      })
      swarm.limitItem(infoHash)
      return view(infoHash)
    },
  )
}

/**
 * The infohash of an item of the caller's that is held, damaged or published.
 * @throws MediaNotFoundError, MediaRetractedError, NotYourItemError
 */
function known({ library, replication }: Services, viewer: Viewer, id: string): string {
  const head = library.head(id)
  if (head !== undefined) {
    assertOwn(viewer, head, id)
    if (head.state === 'retracted') throw new MediaRetractedError(id)
    return head.infoHash
  }
  // What is on its way here is somebody else's.
  if (viewer.caller?.admin === true && id.length === 40 && replication.isPublished(id)) return id
  throw new MediaNotFoundError(id)
}
