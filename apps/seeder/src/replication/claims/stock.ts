import type { Library } from '../../library/index.ts'
import type { Swarm } from '../../swarm/index.ts'
import { Slices } from '../slices.ts'

export interface StockOptions {
  library: Pick<Library, 'heads' | 'storage'>
  swarm: Pick<Swarm, 'has'>
}

/** Tells what is seeded here already, as the last run left it; or would be if the disk were here. */
export async function takeStock({ library, swarm }: StockOptions, seeded: (infoHash: string) => void): Promise<void> {
  const slices = new Slices()
  const isAway = library.storage().state !== 'here'
  for (const { infoHash, state } of library.heads()) {
    if (swarm.has(infoHash) || (isAway && state === 'live')) seeded(infoHash)
    if (slices.over) await slices.next()
  }
}

/** Tells what the operator removed before a restart, and for how long it stays away; unless the removal was cut short. */
export function recall(
  { library, now }: { library: Pick<Library, 'get' | 'refused'>; now: () => number },
  removed: (infoHash: string, forMs: number) => void,
): void {
  for (const { infoHash, until } of library.refused(now())) {
    if (library.get(infoHash) === undefined) removed(infoHash, until - now())
  }
}
