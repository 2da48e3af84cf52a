import { isIP } from 'node:net'
import { z } from 'zod'
import type { Egress } from '../../egress/index.ts'

const text = z.string().min(1).max(20_000)
const candidateLine = /^a=candidate:\S+ \d+ \S+ \d+ (\S+) \d+ typ /i

export const offerSchema = z.object({ type: z.literal('offer'), sdp: text })
export const answerSchema = z.object({ type: z.literal('answer'), sdp: text })

/**
 * Takes out the candidates (RFC 8839) this node may not send to, mDNS names included: checks of connectivity would
 * otherwise be sent to any address that a stranger writes down. A peer without any left still reaches this node.
 */
export function withAllowedCandidates(sdp: string, egress: Egress): string {
  if (egress.policy.allowPrivate) return sdp
  return sdp
    .split('\r\n')
    .filter((line) => {
      const host = candidateLine.exec(line)?.[1]
      if (host === undefined) return !line.startsWith('a=candidate:')
      return isIP(host) !== 0 && egress.isAllowedAddress(host)
    })
    .join('\r\n')
}
