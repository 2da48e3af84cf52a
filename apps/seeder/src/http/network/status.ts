import { coarseBytes } from '@eldernode/core'
import { z } from 'zod'
import type { Api } from '../api.ts'
import type { Services } from '../services.ts'

const healthSchema = z
  .object({
    status: z.enum(['healthy', 'degraded']).describe('`degraded` while a check of /ready fails.'),
    timestamp: z.int().describe('Milliseconds since 1970.'),
    uptimeSec: z.int(),
    version: z.string(),
    mediaFiles: z.int().describe('Public items held here; all of them to administrators.'),
    mediaBytes: z.int().describe('Bytes held here, in steps of 16 MiB; exactly to administrators.'),
    peers: z.int().describe('Other members that were heard from lately.'),
    replicationQueue: z.int().describe('Items waiting to be copied or being copied.'),
  })
  .meta({ id: 'Health' })

const readySchema = z
  .object({
    ready: z.boolean(),
    checks: z.record(
      z.string(),
      z.object({
        ok: z.boolean(),
        reason: z.string().optional(),
        note: z.string().optional().describe('What works less than it could; the node is ready all the same.'),
      }),
    ),
  })
  .meta({ id: 'Readiness' })

/** `/health` says that the process answers, `/ready` that the node can do its work. */
export async function statusRoutes(app: Api, services: Services): Promise<void> {
  const started = services.now()

  app.get(
    '/health',
    { schema: { tags: ['status'], summary: 'Whether the process answers', response: { 200: healthSchema } } },
    async ({ caller }) => {
      const { items, bytes } = services.library.totals()
      const isAdmin = caller?.admin === true
      const { queued, running } = services.replication.stats()
      return {
        status: services.checks().every(({ ok }) => ok) ? ('healthy' as const) : ('degraded' as const),
        timestamp: services.now(),
        uptimeSec: Math.floor((services.now() - started) / 1000),
        version: services.version,
        // Strangers must not learn that there is more than they may see.
        mediaFiles: isAdmin ? items : services.replication.publicItems(),
        mediaBytes: isAdmin ? bytes : coarseBytes(bytes),
        peers: services.replication.peers().filter(({ id }) => id !== services.id).length,
        replicationQueue: queued + running,
      }
    },
  )

  app.get(
    '/ready',
    {
      schema: {
        tags: ['status'],
        summary: 'Whether library, swarm, graph and membership are up',
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const checks = services.checks()
      const ready = checks.every(({ ok }) => ok)
      return await reply.code(ready ? 200 : 503).send({
        ready,
        checks: Object.fromEntries(
          checks.map(({ name, ok, reason, note }) => [name, ok ? { ok, ...(note && { note }) } : { ok, reason }]),
        ),
      })
    },
  )
}
