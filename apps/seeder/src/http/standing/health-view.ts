import { type Assessment, nodeIdSchema } from '@eldernode/core'
import { z } from 'zod'
import type { Health, Shortfall } from '../../replication/index.ts'

export const levelSchema = z
  .enum(['lost', 'below-min', 'below-target', 'at-target', 'surplus'] satisfies Assessment['level'][])
  .describe(
    'By the proven copies of living members: none that is known; fewer than `min`, which is an alarm; fewer than `target`; as many; more.',
  )

const whySchema = z
  .enum([
    'no_copy',
    'unproven',
    'audit_failed',
    'holder_gone',
    'releasing',
    'draining',
    'refused',
    'no_room',
    'too_few_members',
    'copy_pending',
    'copy_failing',
  ] satisfies Shortfall['code'][])
  .describe('See docs/api.md.')

const healthFields = {
  level: levelSchema,
  min: z.int(),
  target: z.int(),
  proven: z.int().describe('Copies of living members that passed an audit and are not about to be released.'),
  missing: z.int().describe('Copies that lack until the target.'),
  survives: z.int().describe('How many zones or operators may be lost together before no proven copy is left.'),
  why: z.array(z.object({ code: whySchema, detail: z.string() })).describe('What keeps it from its target.'),
  wanted: z.array(nodeIdSchema).describe('Who should hold it, best first.'),
  copies: z
    .array(
      z.object({
        id: nodeIdSchema,
        state: z.enum(['held', 'releasing']),
        proof: z.enum(['proven', 'failed', 'unknown']),
        live: z.boolean().describe('Heard from within the grace time (repair.grace).'),
        suspected: z.boolean().describe('Three heartbeats were missed.'),
        draining: z.boolean().describe('It is about to leave, and its copies are made elsewhere.'),
      }),
    )
    .describe('Who says to hold it.'),
  job: z
    .object({
      lane: z.enum(['new', 'repair']),
      running: z.boolean(),
      attempts: z.int().describe('Tries that failed.'),
      notBefore: z.int().optional().describe('Milliseconds since 1970.'),
      reason: z.object({ code: z.string(), detail: z.string() }).optional().describe('Why the last try failed.'),
    })
    .optional()
    .describe('While this node fetches it or waits to.'),
}

/** How one item stands. */
export const healthSchema = z.object(healthFields).meta({ id: 'MediaHealth' })

/** The same, with what the item is. */
export const itemHealthSchema = z
  .object({
    id: z.string().describe('The infohash.'),
    size: z.int(),
    publishers: z.array(nodeIdSchema),
    since: z.int().describe('Milliseconds since 1970 when it was published.'),
    ...healthFields,
  })
  .meta({ id: 'ItemHealth' })

/** Why a copy failed here may name addresses and folders of this node: not for strangers. */
export function publicHealthView({ why, job: _job, ...health }: Health): z.output<typeof healthSchema> {
  return healthView({ ...health, why: why.filter(({ code }) => code !== 'copy_failing') })
}

export function healthView({ demand, assessment, why, job }: Health): z.output<typeof healthSchema> {
  const { level, proven, missing, survives, wanted, copies } = assessment
  const { min, target } = demand
  return { level, min, target, proven, missing, survives, why, wanted, copies, ...(job && { job }) }
}

export function itemHealthView(health: Health): z.output<typeof itemHealthSchema> {
  const { infoHash: id, size, publishers, since } = health.demand
  return { id, size, publishers: [...publishers], since, ...healthView(health) }
}
