import { z } from 'zod'
import { InsufficientScopeError, type Quotas, UnauthorizedError } from '../../access/index.ts'
import type { Api } from '../api.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { ownerSchema } from './tokens.ts'

const most = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

const quotaSchema = z
  .object({
    owner: z.string(),
    quota: z
      .object({ bytes: z.int(), items: z.int(), bytesPerDay: z.int() })
      .describe('The most that the owner may have here and publish in a day of UTC; 0 is no limit.'),
    used: z
      .object({ bytes: z.int(), items: z.int(), bytesToday: z.int() })
      .describe('What was deleted counts until it is purged.'),
  })
  .meta({ id: 'Quota' })

const changeSchema = z
  .strictObject({ bytes: most.nullable(), items: most.nullable(), bytesPerDay: most.nullable() })
  .partial()
  .describe('0 is no limit; null, or nothing, is what holds for every owner (quota in the settings).')

const params = z.object({ owner: ownerSchema })

/** `/v1/quotas`: how much of this node each owner may use, and uses. */
export async function quotaRoutes(app: Api, { quotas, library }: Services): Promise<void> {
  app.get(
    '/v1/quotas',
    {
      config: { scope: 'node:admin' },
      schema: {
        tags: ['access'],
        summary: 'Owners with items here or a quota of their own, in order of their names',
        querystring: z.object({
          after: z.string().max(128).default('').describe('The last owner of the page before.'),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: { 200: z.object({ quotas: z.array(quotaSchema) }), ...problems(400) },
      },
    },
    async ({ query: { after, limit } }) => ({
      quotas: library.quotas.owners(after, limit).map((owner) => shown(quotas, owner)),
    }),
  )

  app.get(
    '/v1/quotas/:owner',
    {
      schema: {
        tags: ['access'],
        summary: "An owner's quota and use, for that owner's tokens and administrators",
        security: [{ token: [] }],
        params,
        response: { 200: quotaSchema, ...problems(400, 403) },
      },
    },
    async ({ caller, params: { owner } }) => {
      if (caller === undefined) throw new UnauthorizedError()
      if (!caller.admin && caller.owner !== owner) throw new InsufficientScopeError('node:admin')
      return shown(quotas, owner)
    },
  )

  app.put(
    '/v1/quotas/:owner',
    {
      config: { always: true },
      schema: {
        tags: ['access'],
        summary: 'Set what one owner may have here',
        params,
        body: changeSchema,
        response: { 200: quotaSchema, ...problems(400, 413, 415) },
      },
    },
    async ({ params: { owner }, body: { bytes, items, bytesPerDay } }) => {
      library.quotas.set(owner, {
        ...(typeof bytes === 'number' && { bytes }),
        ...(typeof items === 'number' && { items }),
        ...(typeof bytesPerDay === 'number' && { bytesPerDay }),
      })
      return shown(quotas, owner)
    },
  )
}

function shown(quotas: Quotas, owner: string): z.output<typeof quotaSchema> {
  return { owner, quota: quotas.of(owner), used: quotas.usage(owner) }
}
