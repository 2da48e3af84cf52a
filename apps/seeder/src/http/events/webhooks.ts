import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { eventTypeSchema } from '../../events/index.ts'
import type { WebhookRecord } from '../../library/index.ts'
import type { Api } from '../api.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const params = z.object({ id: z.string().regex(/^[0-9a-f]{24}$/, 'must be the id of a webhook') })

const optionsSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .refine((url) => !/^https?:\/\/[^/]*@/i.test(url), 'must not carry a user or a password')
      .describe('Gets a POST for each event.'),
    types: z.array(eventTypeSchema).max(20).default([]).describe('Types to send; all when empty.'),
    label: z.string().max(100).default('').describe('For people.'),
    active: z.boolean().default(true),
  })
  .meta({ id: 'WebhookOptions' })

const webhookSchema = z
  .object({
    id: z.string(),
    owner: z.string(),
    url: z.string(),
    types: z.array(eventTypeSchema),
    label: z.string(),
    active: z.boolean().describe('False also after it answered 410.'),
    createdAt: z.int().describe('Milliseconds since 1970.'),
    delivered: z.int().describe('Events that it took.'),
    pending: z.int().describe('Events that it did not take yet and that are sent again.'),
    givenUp: z.int().describe('Events that it never took, within three days.'),
    lastAt: z.int().optional(),
    lastOutcome: z.string().optional().describe('How the last request ended.'),
  })
  .meta({ id: 'Webhook' })

const createdSchema = webhookSchema
  .extend({ secret: z.string().describe('Signs each message (HMAC-SHA256, Standard Webhooks). Shown only now.') })
  .meta({ id: 'CreatedWebhook' })

/** `/v1/webhooks`: who is told of events by requests. */
export async function webhookRoutes(app: Api, { events, library }: Services): Promise<void> {
  const { webhooks } = events
  const view = ({ secret: _secret, everything: _everything, position: _position, ...webhook }: WebhookRecord) => ({
    ...webhook,
    types: z.array(eventTypeSchema).parse(webhook.types),
    pending: library.webhooks.pending(webhook.id),
  })
  const config = { scope: 'events:read', always: true } as const

  app.post(
    '/v1/webhooks',
    {
      config,
      schema: {
        tags: ['events'],
        summary: 'Have events sent to a URL',
        description:
          "Of the caller's items and of public ones, from now on; an administrator's hears of all. Each event is sent at least once, signed as Standard Webhooks has it, and again for three days until it is answered 2xx. 410 ends it. Redirects are not followed.",
        body: optionsSchema,
        response: { 201: createdSchema, ...problems(400, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const webhook = webhooks.create(askerOf(request), request.body)
      return await reply.code(201).send({ ...view(webhook), secret: webhook.secret })
    },
  )

  app.get(
    '/v1/webhooks',
    {
      config,
      schema: {
        tags: ['events'],
        summary: "The caller's webhooks, an administrator's view: all",
        response: { 200: z.object({ webhooks: z.array(webhookSchema) }) },
      },
    },
    async (request) => ({ webhooks: webhooks.list(askerOf(request)).map(view) }),
  )

  app.get(
    '/v1/webhooks/:id',
    {
      config,
      schema: {
        tags: ['events'],
        summary: 'One webhook, and how it does',
        params,
        response: { 200: webhookSchema, ...problems(400, 404) },
      },
    },
    async (request) => view(webhooks.get(askerOf(request), request.params.id)),
  )

  app.put(
    '/v1/webhooks/:id',
    {
      config,
      schema: {
        tags: ['events'],
        summary: 'Change a webhook; its secret stays',
        description: 'One that becomes active hears of what happens from then on.',
        params,
        body: optionsSchema,
        response: { 200: webhookSchema, ...problems(400, 404, 413, 415) },
      },
    },
    async (request) => view(webhooks.change(askerOf(request), request.params.id, request.body)),
  )

  app.delete(
    '/v1/webhooks/:id',
    {
      config,
      schema: {
        tags: ['events'],
        summary: 'Remove a webhook, with what it was still to be sent',
        params,
        response: { 204: z.undefined().describe('It is gone.'), ...problems(400, 404) },
      },
    },
    async (request, reply) => {
      webhooks.delete(askerOf(request), request.params.id)
      return await reply.code(204).send()
    },
  )
}

function askerOf({ caller }: Pick<FastifyRequest, 'caller'>): { owner: string; admin: boolean } {
  return { owner: caller?.owner ?? '', admin: caller?.admin === true }
}
