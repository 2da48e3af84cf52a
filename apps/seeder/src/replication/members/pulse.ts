import { coarseBytes, coarseRoom, type Endpoints, type Heartbeat } from '@eldernode/core'
import type { Swarm } from '../../swarm/index.ts'
import type { Room } from './room.ts'
import type { Transfers } from '../fetching/transfers.ts'

export interface PulseOptions {
  /** Strangers read heartbeats: what is not public is not counted in them. */
  publicItems(): number
  swarm: Pick<Swarm, 'stats'>
  transfers: Pick<Transfers, 'queued' | 'running'>
  room: Room
  draining(): boolean
  endpoints(): Endpoints
  zone: string
  operator: string
  version: string
}

/** What the next heartbeat says. A node with less than a hundredth of its capacity left is full. */
export async function pulse(options: PulseOptions): Promise<Heartbeat> {
  const { publicItems, swarm, transfers, room, draining, endpoints, zone, operator, version } = options
  const capacity = await room.offer()
  const { bytes } = capacity
  const { uploadRate, downloadRate, connections, awake } = swarm.stats()
  return {
    endpoints: endpoints(),
    zone,
    operator,
    state: draining() ? 'draining' : capacity.free < capacity.bytes / 100 ? 'full' : 'active',
    capacity: { bytes, used: coarseBytes(capacity.used, bytes), free: coarseRoom(capacity.free, bytes) },
    load: { up: Math.round(uploadRate), down: Math.round(downloadRate), connections },
    counts: { items: publicItems(), awake, queue: transfers.queued + transfers.running },
    version,
  }
}
