import type { Graph, Identity, ItemFile, Manifest } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Egress } from '../egress/index.ts'
import type { Digest, Item, Library } from '../library/index.ts'
import type { Policy } from '../policy/index.ts'
import type { Swarm } from '../swarm/index.ts'
import type { Turns } from '../turns.ts'
import type { PulseOptions } from './members/pulse.ts'
import type { Room } from './members/room.ts'
import type { ReleaseEvent } from './port.ts'

export interface ReplicationOptions extends Pick<PulseOptions, 'endpoints' | 'zone' | 'operator' | 'version'> {
  identity: Identity
  graph: Graph
  library: Library
  swarm: Swarm
  egress: Egress
  hash: Digest
  /** Shared with whoever publishes: no copy goes amid that. */
  turns: Turns
  /** For items here. Shared with whoever publishes: copies and uploads are not promised the same. */
  room: Room
  /** Items that are fetched because somebody reads them here: see the settings of that name. */
  reads: { maxBytes: number; keepMs: number; waitMs: number }
  /** See the settings of that name; `graceMs` in milliseconds, `rate` in bytes per second. */
  repair: { graceMs: number; rate: number; concurrent: number }
  /** Which copies the operator wants here. */
  policy: Pick<Policy, 'pins' | 'objection' | 'hasRoom'>
  /** Whether this node was given peers to dial. */
  dials: boolean
  /** Whether trackers are configured, so that the swarm finds peers by itself. */
  announces: boolean
  /** Milliseconds that a retracted item's bytes are kept when its manifest does not say. */
  retentionMs: number
  manifestOf(item: Item): Manifest
  contentDigest(files: readonly ItemFile[]): string
  /** Told when an item was retracted here, so that its purge can be planned. */
  retracted(): void
  /** Told of each copy that was given up because the network has enough others. */
  released(event: ReleaseEvent): void
  now: () => number
  log: Logger
}
