import type { Accepted, Graph, Holdings } from '@eldernode/core'
import type { Library } from '../../library/index.ts'
import type { Swarm } from '../../swarm/index.ts'
import { Slices } from '../slices.ts'

export interface StockOptions {
  graph: Pick<Graph, 'entries' | 'watch'>
  library: Pick<Library, 'heads' | 'get' | 'refused'>
  swarm: Pick<Swarm, 'has'>
  now: () => number
}

/** Tells what the others hold and what is seeded here already, as the last run left them. */
export async function takeStock(
  { graph, library, swarm }: StockOptions,
  told: (holdings: Accepted<Holdings>) => void,
  seeded: (infoHash: string) => void,
): Promise<void> {
  const slices = new Slices()
  const newer = new Set<string>()
  const unwatch = graph.watch('h', ({ soul }) => newer.add(soul))
  for (const holdings of graph.entries('h')) {
    // What was read before a pause may be older than what was told since.
    if (!newer.has(holdings.soul)) told(holdings)
    if (slices.over) await slices.next()
  }
  unwatch()
  for (const { infoHash } of library.heads()) {
    if (swarm.has(infoHash)) seeded(infoHash)
    if (slices.over) await slices.next()
  }
}

/** Tells what the operator removed before a restart, and for how long it stays away; unless the removal was cut short. */
export function recall({ library, now }: StockOptions, removed: (infoHash: string, forMs: number) => void): void {
  for (const { infoHash, until } of library.refused(now())) {
    if (library.get(infoHash) === undefined) removed(infoHash, until - now())
  }
}
