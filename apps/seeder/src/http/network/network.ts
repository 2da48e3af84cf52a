import { endpointsSchema, heartbeatSchema, networkIdSchema, nodeIdSchema } from '@eldernode/core'
import { z } from 'zod'
import type { Api } from '../api.ts'
import type { Services } from '../services.ts'

const nodeSchema = z
  .object({
    id: nodeIdSchema,
    recipient: z.string().describe('The age recipient to which others encrypt what is meant for this node.'),
    version: z.string(),
    network: z.object({
      id: networkIdSchema,
      owner: nodeIdSchema,
      member: z.boolean().describe('Whether the network has admitted this node.'),
      open: z.boolean().describe('Whether everybody is admitted.'),
    }),
    endpoints: endpointsSchema,
    zone: z.string(),
    operator: z.string(),
    capacity: z.object({ bytes: z.int(), used: z.int(), free: z.int() }),
    counts: z.object({
      items: z.int().describe('Public ones; all of them to administrators.'),
      queue: z.int(),
      peers: z.int(),
    }),
  })
  .meta({ id: 'Node' })

const peerSchema = z
  .object({
    id: nodeIdSchema,
    state: z.enum(['active', 'draining', 'full', 'suspected']).describe('`suspected`: three heartbeats were missed.'),
    lastSeen: z.int().describe('Milliseconds since 1970.'),
    ...heartbeatSchema.omit({ state: true }).shape,
  })
  .meta({ id: 'Peer' })

/** `/v1/node` and `/v1/peers`: this node, and the members it hears. */
export async function networkRoutes(app: Api, services: Services): Promise<void> {
  const { id, version, network, graph, library, replication } = services
  const others = () => replication.peers().filter((peer) => peer.id !== id)

  app.get(
    '/v1/node',
    { schema: { tags: ['network'], summary: 'This node', response: { 200: nodeSchema } } },
    async ({ caller }) => {
      const { queued, running } = replication.stats()
      // Strangers must not learn that there is more than they may see.
      const items = caller?.admin === true ? library.totals().items : replication.publicItems()
      return {
        id,
        recipient: services.recipient,
        version,
        network: { id: network.id, owner: network.owner, member: graph.admits(id), open: network.open },
        endpoints: services.endpoints(),
        zone: services.zone,
        operator: services.operator,
        capacity: graph.get('hb', id, 'hb')?.body.capacity ?? { bytes: 0, used: 0, free: 0 },
        counts: { items, queue: queued + running, peers: others().length },
      }
    },
  )

  app.get(
    '/v1/peers',
    {
      schema: {
        tags: ['network'],
        summary: 'Other members that were heard from, by their last heartbeat',
        response: { 200: z.object({ peers: z.array(peerSchema) }) },
      },
    },
    async () => ({
      peers: others().map((peer) => ({
        ...peer.heartbeat,
        id: peer.id,
        lastSeen: peer.lastSeen,
        state: peer.suspected ? ('suspected' as const) : peer.heartbeat.state,
      })),
    }),
  )
}
