import type { Newcomer, PeerLink } from './peer-link.ts'

/** Milliseconds that a peer has to ask for its first bytes, before others are let in for it. */
const grace = 3_000

/**
 * Of connections, the one that makes room for a newcomer, whoever has the most of them first: of those that no byte
 * ever passed over, the one that was idle for the longest time. Nobody gets more places than those
 * have who made room, unless he had none.
 *
 * Threat: whoever sits on all places, and comes back when he is put out, would keep everybody else away.
 */
export function yielding(
  links: Iterable<PeerLink>,
  { group: newcomer }: Newcomer,
  now: number,
  countOf: (group: string) => number,
): PeerLink | undefined {
  if (newcomer === undefined) return undefined
  const own = countOf(newcomer)
  // Or two that come again and again would put out each other, and nobody would be here for long enough to make room.
  let most = own === 0 ? 0 : own + 1
  let found: PeerLink | undefined
  for (const link of links) {
    if (link.group === undefined || link.used || link.usedAt + grace > now) continue
    const count = countOf(link.group)
    const longer = found !== undefined && count === most && link.usedAt < found.usedAt
    if (count <= most && !longer) continue
    most = count
    found = link
  }
  return found
}
