import { signRequest, type NodeId } from '@eldernode/core'
import type { ReplicationOptions } from '../options.ts'
import type { Room } from '../members/room.ts'
import type { Arrivals } from './arrivals.ts'
import { HolderClient } from './holder-client.ts'
import type { Holders } from './holders.ts'
import { ItemFetcher } from './item-fetcher.ts'
import { SmallItems } from './small-items.ts'
import { searchLimits, stallLimits } from './stall.ts'

export interface FetchingOptions extends Omit<ReplicationOptions, 'storage'> {
  arrivals: Pick<Arrivals, 'keep' | 'has'>
  room: Room
  holders: Pick<Holders, 'sources' | 'measured' | 'ban'>
  /** Whose manifests of an item are live. */
  signers(infoHash: string): NodeId[]
}

/** Who brings items here, with all that it needs. */
export function createFetching(options: FetchingOptions): ItemFetcher {
  const { egress, identity, now, swarm, holders } = options
  const client = new HolderClient({
    egress,
    authorize: (method, url) => signRequest({ method, url: url.href }, identity, now()),
    measured: (base, ms) => holders.measured(base, ms),
  })
  const poisoned = (infoHash: string, source: string): void => {
    options.log.warn({ infoHash, source }, 'a source gave wrong bytes of an item; it is not asked for it again soon')
    holders.ban(infoHash, source)
  }
  const passage = (infoHash: string) => swarm.downloadPassage(infoHash)
  return new ItemFetcher({
    ...options,
    client,
    small: new SmallItems({ ...options, client, passage, poisoned }),
    sources: (infoHash, publisher) => holders.sources(infoHash, publisher),
    poisoned,
    limits: stallLimits,
    search: searchLimits,
  })
}
