import { isIP } from 'node:net'
import { z } from 'zod'
import type { Egress } from '../../egress/index.ts'

/** Characters; browsers write 500 to 5,000. A tracker's whole message is bounded where it is received. */
const maxLength = 20_000

/** Each makes the library send checks to the address for half a minute. */
const maxCandidates = 32

/** The wrong kind of description or one too large is for `isDataOffer` to refuse, so that it is counted. */
export const offerSchema = z.object({ type: z.literal('offer'), sdp: z.string() })
export const answerSchema = z.object({ type: z.literal('answer'), sdp: z.string().min(1).max(maxLength) })

const candidateLine = /^a=candidate:\S+ \d+ \S+ \d+ (\S+) \d+ typ /i
const mediaLine = /^m=.*/gm
const dataLine = /^m=application \d{1,5} (?:UDP\/)?DTLS\/SCTP webrtc-datachannel\s*$/

/** The hosts of all candidates of a description: addresses, names, and '' for what is none. */
export function candidateHosts(sdp: string): string[] {
  const lines = sdp.split(/\r?\n/).filter((line) => line.startsWith('a=candidate:'))
  return lines.map((line) => candidateLine.exec(line)?.[1] ?? '')
}

/** Whether a description asks for data channels (RFC 8841) and nothing else: no sound, no pictures, nothing large. */
export function isDataOffer(sdp: string): boolean {
  if (sdp.length > maxLength) return false
  const media = sdp.match(mediaLine)
  return media?.length === 1 && dataLine.test(media[0]) && sdp.includes('a=fingerprint:') && sdp.includes('a=ice-pwd:')
}

/**
 * Takes out the candidates (RFC 8839) this node may not send to: checks of connectivity would otherwise be sent to any
 * address that a stranger writes down. Names, those of mDNS too, are never looked up. A peer without any candidate
 * left still reaches this node. That there are no more of them is taken out too: the library learns it before it learns
 * the candidates, and at times gives up in between.
 */
export function withAllowedCandidates(sdp: string, egress: Egress): string {
  let candidates = 0
  return sdp
    .split(/\r?\n/)
    .filter((line) => {
      if (!line.startsWith('a=candidate:')) return line !== 'a=end-of-candidates'
      const host = candidateLine.exec(line)?.[1]
      if (host === undefined || isIP(host) === 0 || !egress.isAllowedAddress(host)) return false
      candidates++
      return candidates <= maxCandidates
    })
    .join('\r\n')
}
