import { z } from 'zod'
import type { Drain } from '../../replication/index.ts'
import type { Api } from '../api.ts'
import type { Services } from '../services.ts'

const amountSchema = z.object({ items: z.int(), bytes: z.int() }).meta({ id: 'DrainAmount' })

const drainSchema = z
  .object({
    draining: z.boolean(),
    since: z.int().optional().describe('Milliseconds since 1970.'),
    held: amountSchema.optional().describe('What is held here.'),
    left: amountSchema
      .optional()
      .describe(
        'What is held here and has not yet its target of proven copies elsewhere; absent until all was looked at.',
      ),
    stuck: amountSchema
      .optional()
      .describe('What of that too few others have room for or would take: `GET /v1/replication?stuck=true` lists it.'),
    done: z.boolean().optional().describe('Nothing is left: this node may be switched off for good.'),
  })
  .meta({ id: 'Drain' })

/** `/v1/node/drain`: move everything off this node before it leaves. */
export async function drainRoutes(app: Api, { standing }: Services): Promise<void> {
  const view = (draining: Drain | undefined) =>
    draining === undefined ? { draining: false } : { ...draining, draining: true }
  const response = { 200: drainSchema }

  app.post(
    '/v1/node/drain',
    {
      config: { scope: 'node:admin', always: true },
      schema: {
        tags: ['network'],
        summary: 'Have the other nodes copy everything that this one holds',
        description:
          'The node goes on serving, and takes no new copies. It stays so over a restart, until it is taken back. Its own items must be published elsewhere before it leaves if they are to be changed later: they live on, but only it can retract them.',
        response,
      },
    },
    async () => {
      standing.drain()
      return view(standing.draining())
    },
  )

  app.get(
    '/v1/node/drain',
    { config: { scope: 'node:admin' }, schema: { tags: ['network'], summary: 'How far that has come', response } },
    async () => view(standing.draining()),
  )

  app.delete(
    '/v1/node/drain',
    {
      config: { scope: 'node:admin', always: true },
      schema: { tags: ['network'], summary: 'Take it back: the node holds its share again', response },
    },
    async () => {
      standing.undrain()
      return view(standing.draining())
    },
  )
}
