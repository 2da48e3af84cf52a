import { type Certificate, type NodeId, roleSchema } from '@eldernode/core'
import type { Graph } from '@eldernode/core/graph'

const termMs = 10 * 365 * 86_400_000

/** The node that made the network is its first member. `now` in milliseconds since 1970. */
export async function admitSelf(graph: Graph, member: NodeId, operator: string, now: number): Promise<void> {
  const current = graph.get('p', member, member)?.body
  if (current !== undefined && current.roles.length > 0 && current.expiresAt > now + termMs / 2) return
  const certificate: Certificate = {
    member,
    roles: [...roleSchema.options],
    operator,
    issuedAt: now,
    expiresAt: now + termMs,
  }
  await graph.publish('p', member, certificate)
}
