import { denialSchema, infoHashSchema, InvalidInputError, type Denial } from '@eldernode/core'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { DenialNotFoundError, NotOwnerError } from '../errors.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const answerSchema = denialSchema.meta({ id: 'Denial' })

const requestSchema = z.object({
  infoHash: infoHashSchema.describe('The item, whether this node knows it or not.'),
  reason: z
    .string()
    .max(200)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .optional()
    .describe('Published with the denial.'),
  purgeAfter: z
    .int()
    .optional()
    .describe('When holders delete the bytes, in milliseconds since 1970; until then the denial can be lifted.'),
})

/** `/v1/denials`: what the owner of the network has everybody stop serving. */
export async function denialRoutes(app: Api, { graph, network, purgeAfterMs, now }: Services): Promise<void> {
  const denialOf = (infoHash: string): Denial | undefined => {
    const denial = graph.get('d', network.owner, infoHash)?.body
    return denial?.state === 'denied' ? denial : undefined
  }
  const assertOwned = (): void => {
    if (!network.owned) throw new NotOwnerError(network.owner)
  }

  app.get(
    '/v1/denials',
    {
      config: { scope: 'members:admin' },
      schema: {
        tags: ['network'],
        summary: 'What the owner of the network denies at present',
        querystring: z.object({
          cursor: infoHashSchema.optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: {
          200: z.object({ denials: z.array(answerSchema), nextCursor: z.string().optional() }),
          ...problems(400, 401, 403),
        },
      },
    },
    async ({ query: { cursor = '', limit } }) => {
      const denials: Denial[] = []
      for (const { key, body } of graph.entries('d')) {
        if (body.state === 'denied' && key > cursor) denials.push(body)
      }
      const page = denials.toSorted((a, b) => (a.infoHash < b.infoHash ? -1 : 1)).slice(0, limit)
      const last = page.at(-1)
      return { denials: page, ...(denials.length > page.length && last && { nextCursor: last.infoHash }) }
    },
  )

  app.post(
    '/v1/denials',
    {
      config: { scope: 'members:admin', withoutStorage: true },
      schema: {
        tags: ['network'],
        summary: 'Have every node of the network stop serving an item',
        description: 'On the node of the network owner only. Nodes stop within 30 seconds of hearing of it.',
        body: requestSchema,
        response: { 201: answerSchema, ...problems(400, 401, 403, 409, 413, 415, 503) },
      },
    },
    async ({ body: { infoHash, reason, purgeAfter } }, reply) => {
      assertOwned()
      if (purgeAfter !== undefined && purgeAfter <= now()) {
        throw new InvalidInputError('purgeAfter must lie in the future.')
      }
      const denial: Denial = {
        infoHash,
        state: 'denied',
        ...(reason !== undefined && { reason }),
        purgeAfter: purgeAfter ?? denialOf(infoHash)?.purgeAfter ?? now() + purgeAfterMs,
      }
      await graph.publish('d', infoHash, denial)
      return await reply.code(201).send(denial)
    },
  )

  app.delete(
    '/v1/denials/:infoHash',
    {
      config: { scope: 'members:admin', withoutStorage: true },
      schema: {
        tags: ['network'],
        summary: 'Lift a denial: what is published and not yet purged is served again',
        params: z.object({ infoHash: infoHashSchema }),
        response: { 200: answerSchema, ...problems(400, 401, 403, 404, 409, 503) },
      },
    },
    async ({ params: { infoHash } }) => {
      assertOwned()
      const denial = denialOf(infoHash)
      if (denial === undefined) throw new DenialNotFoundError(infoHash)
      return (await graph.publish('d', infoHash, { infoHash, state: 'lifted' })).body
    },
  )
}
