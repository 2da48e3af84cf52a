import type { Endpoints, Graph, Heartbeat, NodeId, Replicas } from '@eldernode/core'
import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import type { Ingest } from '../ingest/index.ts'
import type { AdminToken } from '../keys/index.ts'
import type { Library } from '../library/index.ts'
import type { Replication } from '../replication/index.ts'
import type { Swarm } from '../swarm/index.ts'

/** One thing that must be up before the node is ready; `reason` says what is missing. */
export interface Check {
  name: string
  ok: boolean
  reason?: string
}

/** What the routes work with. Functions give what is known only once the node runs, or changes while it does. */
export interface Services {
  id: NodeId
  version: string
  adminToken: AdminToken
  ingest: Ingest
  library: Library
  swarm: Swarm
  graph: Graph
  replication: Pick<Replication, 'peers' | 'stats'>
  registry: Registry
  log: FastifyBaseLogger
  network: {
    id: string
    owner: NodeId
    open: boolean
    /** Whether this node has the owner's key, and so may admit members. */
    owned: boolean
  }
  zone: string
  operator: string
  replicas: Replicas
  trackers: readonly string[]
  limits: { maxUploadBytes: number; stallMs: number }
  /** Milliseconds between the retraction of an item and the removal of its bytes. */
  purgeAfterMs: number
  /** How others reach this node, as its heartbeats say. */
  endpoints(): Endpoints
  /** Bytes that items may take, that they take, and that are left. */
  capacity(): Promise<Heartbeat['capacity']>
  checks(): Check[]
  now(): number
}
