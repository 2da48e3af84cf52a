import type { Endpoints, Graph, Heartbeat, NodeId, Replicas, RequestGate } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Audits } from '../audits/index.ts'
import type { EventRoom } from '../events/index.ts'
import type { Imports } from '../imports/index.ts'
import type { Encryption } from '../encryption/index.ts'
import type { Quotas, Tokens } from '../access/index.ts'
import type { Ingest } from '../ingest/index.ts'
import type { Rotations } from '../publishing/index.ts'
import type { Library } from '../library/index.ts'
import type { RemoteFile } from './content/remote-file.ts'
import type { Replication } from '../replication/index.ts'
import type { Alarm } from '../standing/index.ts'
import type { Turns } from '../publishing/index.ts'
import type { Swarm } from '../swarm/index.ts'
import type { ResumableUploads } from '../uploads/index.ts'
import type { RateSettings } from './callers/request-rates.ts'

/**
 * One thing that must be up before the node is ready; `reason` says what is missing. `note`: what works less than it
 * could, while all is well.
 */
export interface Check {
  name: string
  ok: boolean
  reason: string
  note?: string
}

/** What the routes ask of replication. */
export interface Copies {
  /** Ends the transfer and the refusal of an item whose bytes came another way, so that it can be seeded. */
  claim(infoHash: string): Promise<void>
  /** Keeps an item away for a while, whatever placement says: the operator removed this node's copy. */
  leave(infoHash: string): Promise<void>
  /** Ends all traffic of an item that the library says is paused. */
  pause(infoHash: string): Promise<void>
  /** A file of an item (infohash or SHA-256) that is not held here and may be read from others; `undefined`: none. */
  remote(id: string, path?: string): Promise<RemoteFile | undefined>
  /** How many public items this node offers. */
  publicItems(): number
  /** Whether anybody's manifest of the item is live. */
  isPublished(infoHash: string): boolean
  /** Has an item served or not, and announced so, as its manifests say. */
  touch(infoHash: string): void
  /** Members that were heard from; `lastSeen` in milliseconds since 1970, `suspected` when it is too long ago. */
  peers(): { id: NodeId; heartbeat: Heartbeat; lastSeen: number; suspected: boolean }[]
  /** How many members hold an item, this one included. */
  copies(infoHash: string): number
  stats(): {
    queued: number
    running: number
    fetched: number
    fetchedBytes: number
    released: number
    releasedBytes: number
    mending: number
    failures: Record<string, number>
    live: number
    clockBehind: boolean
    clockOff: boolean
  }
}

/** How the network's items stand, and what can be done about it. */
export type Standing = Pick<
  Replication,
  'health' | 'healths' | 'totals' | 'onLevel' | 'repair' | 'drain' | 'undrain' | 'draining'
>

/** What the routes work with. Functions give what is known only once the node runs, or changes while it does. */
export interface Services {
  id: NodeId
  /** Its age recipient (`age1...`). */
  recipient: string
  version: string
  network: {
    id: string
    owner: NodeId
    open: boolean
    /** Whether this node has the owner's key, and so may admit members. */
    owned: boolean
  }
  zone: string
  operator: string
  tokens: Tokens
  quotas: Quotas
  /** Read at each request. */
  rates: () => RateSettings
  /** CIDR blocks of proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[]
  /** Checks requests that other nodes signed. */
  nodes: RequestGate
  ingest: Ingest
  encryption: Encryption
  rotations: Pick<Rotations, 'rotate' | 'schedule'>
  library: Library
  swarm: Swarm
  graph: Graph
  audits: Pick<Audits, 'door'>
  replication: Copies
  standing: Standing
  /** What the operator should know of now. */
  alarms: () => Alarm[]
  /** Told when a node of a public map was written by somebody with a token. */
  mapWritten: (soul: string) => void
  events: Pick<EventRoom, 'journal' | 'webhooks'>
  imports: Pick<Imports, 'add' | 'get' | 'list' | 'cancel' | 'revoke'>
  uploads: ResumableUploads
  registry: Registry
  log: Logger
  replicas: Replicas
  trackers: readonly string[]
  /** Origins whose pages may use the API; `*` is every one. */
  origins: readonly string[]
  limits: { maxUploadBytes: number; stallMs: number }
  /** What uploads by the GUN media server's routes are when they say nothing. */
  compat: { encrypt: boolean; private: boolean }
  /** Milliseconds between the retraction of an item and the removal of its bytes. */
  purgeAfterMs: number
  /** Told when an item was retracted or restored, so that its purge can be planned. */
  retentionChanged: () => void
  turns: Turns
  /** Told when a new item waits to be described. */
  describe: () => void
  /** How others reach this node, as its heartbeats say. */
  endpoints: () => Endpoints
  checks: () => Check[]
  now: () => number
}
