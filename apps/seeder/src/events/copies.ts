import type { NodeId } from '@eldernode/core'

/** As much of replication as tells how many copies of an item there are. */
export interface CopyCounts {
  /** `undefined` when nobody publishes the item, or nothing is known of it yet. */
  health(
    infoHash: string,
  ):
    | { assessment: { proven: number; copies: readonly { id: NodeId; state: 'held' | 'releasing'; proof: string }[] } }
    | undefined
  /** @returns ends it */
  onLevel(listener: (change: { infoHash: string }) => void): () => void
  stats(): { live: number; settled: boolean }
}

/**
 * How many copies of an item count: the proven ones of living members. In the first minute after a start few members have
 * been heard from, so those count that were proven before. A node that is alone in its network is its only witness.
 */
export function countedCopies(counts: CopyCounts, self: NodeId, infoHash: string): number | undefined {
  const assessment = counts.health(infoHash)?.assessment
  if (assessment === undefined) return undefined
  const { live, settled } = counts.stats()
  const { proven, copies } = assessment
  const held = copies.filter(({ state }) => state === 'held')
  const before = settled ? 0 : held.filter(({ proof }) => proof === 'proven').length
  const alone = live <= 1 && held.some(({ id }) => id === self) ? 1 : 0
  return Math.max(proven, before, alone)
}
