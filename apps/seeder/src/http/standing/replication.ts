import { nodeIdSchema } from '@eldernode/core'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { observeHealth } from './health-metrics.ts'
import { itemHealthSchema, itemHealthView, levelSchema } from './health-view.ts'

const amountSchema = z.object({ items: z.int(), bytes: z.int() }).meta({ id: 'Amount' })

const alarmSchema = z
  .object({
    code: z.string().describe('Stable name of what is wrong.'),
    detail: z.string(),
    since: z.int().describe('Milliseconds since 1970.'),
    infoHash: z.string().optional(),
    node: nodeIdSchema.optional(),
  })
  .meta({ id: 'Alarm' })

const replicationSchema = z
  .object({
    totals: z.object({
      ...amountSchema.shape,
      at: z.int().describe('Milliseconds since 1970 at which all items were last looked at; 0: not yet.'),
      lost: amountSchema,
      belowMin: amountSchema,
      belowTarget: amountSchema,
      atTarget: amountSchema,
      surplus: amountSchema,
      oldestProof: z
        .int()
        .optional()
        .describe('Milliseconds since 1970 at which that was last proven whose audit is longest ago.'),
    }),
    repairs: z
      .object({ count: z.int(), lastSeconds: z.number().optional(), meanSeconds: z.number().optional() })
      .describe('Items that fell below their target and came back to it since the start, and how long that took.'),
    alarms: z.array(alarmSchema),
    items: z.array(itemHealthSchema),
    nextCursor: z.string().optional(),
  })
  .meta({ id: 'Replication' })

/** `/v1/replication`: how the network's items stand, as this node sees it. */
export async function replicationRoutes(app: Api, services: Services): Promise<void> {
  const { standing, alarms } = services
  const times = observeHealth(services)

  app.get(
    '/v1/replication',
    {
      config: { scope: 'node:admin' },
      schema: {
        tags: ['network'],
        summary: 'How the items of the network stand, as this node sees it',
        description: 'Totals, alarms, and items in the order of their infohashes.',
        querystring: z.object({
          level: levelSchema.optional().describe('Only items of this level.'),
          stuck: z
            .stringbool()
            .optional()
            .describe('Only what this node holds and too few others have room for or would take.'),
          cursor: z
            .string()
            .regex(/^[0-9a-f]{40}$/, 'must be the `nextCursor` of a page')
            .optional()
            .describe('`nextCursor` of the page before.'),
          limit: z.coerce.number().int().min(0).max(1000).default(100).describe('0: totals and alarms only.'),
        }),
        response: { 200: replicationSchema, ...problems(400, 403) },
      },
    },
    async ({ query: { level, stuck = false, cursor, limit } }) => {
      const { levels, at, items, bytes, oldestProof } = standing.totals()
      const page =
        limit === 0
          ? []
          : standing.healths({ ...(level && { level }), stuck, ...(cursor !== undefined && { after: cursor }), limit })
      const last = page.length === limit ? page.at(-1)?.demand.infoHash : undefined
      return {
        totals: {
          items,
          bytes,
          at,
          lost: levels.lost,
          belowMin: levels['below-min'],
          belowTarget: levels['below-target'],
          atTarget: levels['at-target'],
          surplus: levels.surplus,
          ...(oldestProof !== undefined && { oldestProof }),
        },
        repairs: times.sums(),
        alarms: alarms(),
        items: page.map(itemHealthView),
        ...(last !== undefined && { nextCursor: last }),
      }
    },
  )
}
