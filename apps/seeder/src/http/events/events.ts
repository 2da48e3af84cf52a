import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { eventTypeSchema, type EventType, type Listener, messageSchema } from '../../events/index.ts'
import type { Api } from '../api.ts'
import { EventStreams } from './event-streams.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const typesSchema = z
  .string()
  .max(300)
  .transform((text) => text.split(',').filter((type) => type !== ''))
  .pipe(z.array(eventTypeSchema).max(20))
  .meta({ type: 'string' })

const position = z.string().regex(/^\d{1,15}$/, 'must be the number of an event')

/** Who asks, as the one who listens. */
function listenerOf({ caller }: Pick<FastifyRequest, 'caller'>, types: readonly EventType[]): Listener {
  return { owner: caller?.owner ?? '', everything: caller?.admin === true, types }
}

/** `GET /v1/events`: what happens, as it happens. */
export async function eventRoutes(app: Api, { events, limits, log }: Services): Promise<void> {
  const streams = new EventStreams({ journal: events.journal, stallMs: limits.stallMs })
  app.addHook('preClose', async () => streams.close())

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/events',
    exposeHeadRoute: false,
    config: { scope: 'events:read' },
    schema: {
      tags: ['events'],
      summary: 'Server-sent events: publications, copies, retractions, imports',
      description:
        "Of the caller's items and of public ones; an administrator hears of all. Each event has a number, its `id`: with the last one in Last-Event-ID, or `after`, the stream goes on behind it. A `gap` event says that some events since then are forgotten.",
      querystring: z.object({
        types: typesSchema.optional().describe('Types to hear of, separated by commas; all without it.'),
        after: position
          .optional()
          .describe('As Last-Event-ID, for clients that cannot set it. 0 is all that is known.'),
      }),
      headers: z.object({ 'last-event-id': position.or(z.literal('')).optional() }),
      response: {
        200: { description: 'Events as they happen', content: { 'text/event-stream': { schema: messageSchema } } },
        ...problems(400, 401, 403, 503),
      },
    },
    handler: async (request, reply) => {
      const { types = [], after } = request.query
      const listener = listenerOf(request, types)
      const isHead = request.method === 'HEAD'
      if (!isHead) streams.admit(listener)
      const last = request.headers['last-event-id'] ?? after ?? ''
      void reply.headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        // Nginx keeps back what it can.
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      })
      reply.hijack()
      reply.raw.writeHead(200, reply.getHeaders() as Record<string, string | number>)
      if (isHead) return void reply.raw.end()
      await streams
        .run(reply.raw, listener, last === '' ? undefined : Number(last))
        .catch((error: unknown) => log.error({ err: error }, 'a stream of events failed'))
    },
  })
}
