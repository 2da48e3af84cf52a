import type { NodeId } from '../identity/index.ts'
import { closeCodes } from './link.ts'
import type { Link } from './link.ts'

/**
 * Two nodes that dialled each other keep one link: the one dialled by the smaller id, and of two dialled by the same
 * side the newer, since the older one may be dead without knowing it. Both ends come to the same answer. The other links
 * are closed, or this one.
 */
export function isKept(link: Link, node: NodeId, { self, links }: { self: NodeId; links: Iterable<Link> }): boolean {
  const bySmaller = (candidate: Link): boolean => candidate.dialled === self < node
  for (const other of links) {
    if (other === link || other.node !== node) continue
    const keepsNew = link.dialled === other.dialled || bySmaller(link)
    ;(keepsNew ? other : link).close(closeCodes.duplicate)
    if (!keepsNew) return false
  }
  return true
}
