import type { NodeId } from '@eldernode/core'
import type { Graph } from '@eldernode/core/graph'
import type { Check } from './http/index.ts'
import type { Library } from './library/index.ts'
import type { Parts } from './parts.ts'
import type { GraphReplication } from './replication/index.ts'

export interface Readiness {
  id: NodeId
  parts: Parts
  library: Library
  graph: Graph
  replication: GraphReplication
  /** Media tools that this machine lacks, each with what is not done without it. */
  missingTools(): readonly string[]
}

const needed = ['swarm', 'graph', 'replication']

/** What must be up before the node can do its work, and what is worth saying of the rest. */
export function checksOf({ id, parts, library, graph, replication, missingTools }: Readiness): Check[] {
  const { folder, state } = library.storage()
  return [
    {
      name: 'library',
      ok: state === 'here',
      reason: `the storage folder ${folder} is not there or not this node's: is its disk mounted?`,
    },
    ...needed.map((name) => ({ name, ok: parts.isUp(name), reason: 'is starting or stopping' })),
    {
      name: 'membership',
      ok: parts.isUp('graph') && graph.admits(id),
      reason: 'the network has not admitted this node, or revoked it',
    },
    { name: 'media', ok: true, reason: '', note: missingTools().join('; ') },
    {
      name: 'clock',
      ok: !replication.stats().clockBehind,
      reason: 'the clock lies more than 5 minutes behind what this node signed: nothing is published until it is right',
    },
  ]
}
