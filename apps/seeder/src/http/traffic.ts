import { z } from 'zod'
import type { Controls } from '../library/index.ts'
import type { Api } from './api.ts'
import { MediaNotFoundError } from './errors.ts'
import { itemOf, mediaIdSchema } from './media-id.ts'
import { itemLimitsSchema, trafficOf } from './media-view.ts'
import { problems } from './problem.ts'
import type { Services } from './services.ts'

const params = z.object({ id: mediaIdSchema })

const trafficSchema = z
  .object({ id: z.string().describe('The infohash.'), paused: z.boolean(), limits: itemLimitsSchema })
  .meta({ id: 'Traffic' })

const response = { 200: trafficSchema, ...problems(400, 404, 410, 503) }

/** What the operator sets for the traffic of one item, whether it is held or on its way here. */
export async function trafficRoutes(app: Api, services: Services): Promise<void> {
  const { library, swarm, replication } = services

  const change = (infoHash: string, controls: Partial<Controls>) => {
    library.control(infoHash, { ...library.controls(infoHash), ...controls })
  }
  const view = (infoHash: string) => ({ id: infoHash, ...trafficOf(library.controls(infoHash)) })

  app.post(
    '/v1/media/:id/pause',
    {
      config: { always: true },
      schema: {
        tags: ['media'],
        summary: 'End all traffic of an item, until it is resumed',
        description: 'Its bytes stay held and readable over the API; peers and web seed clients get none of them.',
        params,
        response,
      },
    },
    async ({ params: { id } }) => {
      const infoHash = known(services, id)
      change(infoHash, { paused: true })
      await replication.pause(infoHash)
      return view(infoHash)
    },
  )

  app.post(
    '/v1/media/:id/resume',
    {
      config: { always: true },
      schema: { tags: ['media'], summary: 'Let the traffic of a paused item go on', params, response },
    },
    async ({ params: { id } }) => {
      const infoHash = known(services, id)
      change(infoHash, { paused: false })
      replication.touch(infoHash)
      return view(infoHash)
    },
  )

  app.put(
    '/v1/media/:id/limits',
    {
      config: { always: true },
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
    async ({ params: { id }, body: { uploadLimit, downloadLimit } }) => {
      const infoHash = known(services, id)
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

/** The infohash of an item that is held, damaged or published. @throws MediaNotFoundError, MediaRetractedError */
function known({ library, replication }: Services, id: string): string {
  const isOnItsWay = id.length === 40 && library.get(id) === undefined
  if (!isOnItsWay) return itemOf(library, id).infoHash
  if (library.condition(id) === undefined && !replication.isPublished(id)) throw new MediaNotFoundError(id)
  return id
}
