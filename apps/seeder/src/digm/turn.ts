import { type Candidate, type NodeId, repairer } from '@eldernode/core'

/** Further ones wait no longer. */
const mostTurns = 5

/**
 * When it is a node's turn to act for an item: 0 for its repairer, 1 for who would be it without that one, and so on.
 * Whoever comes first in turn may not accept anything, so that others follow.
 */
export function turnOf(self: NodeId, infoHash: string, live: readonly Candidate[]): number {
  let left = [...live]
  for (let turn = 0; turn < mostTurns; turn++) {
    const next = repairer(infoHash, left)
    if (next === undefined || next === self) return turn
    left = left.filter(({ id }) => id !== next)
  }
  return mostTurns
}
