import type Wire from 'bittorrent-protocol'
import { originOf } from './origin.ts'
import type { Used } from '../awake/recency.ts'

/** Where a connection comes from, as far as places are concerned. */
export interface Newcomer {
  /** Whom its place is charged to; undefined for a peer that nobody is charged for, as one that was called. */
  readonly origin: string | undefined
  /** With whom it shares places: its origin, a loopback address, all over WebRTC; undefined for one that was called. */
  readonly group: string | undefined
}

/** A connection to a peer, past its handshake. */
export class PeerLink implements Used, Newcomer {
  readonly wire: Wire
  readonly origin: string | undefined
  readonly group: string | undefined
  /** When bytes of a torrent last passed, or it was made, in milliseconds. */
  usedAt: number
  /** Whether bytes of a torrent ever passed. */
  used = false

  constructor(wire: Wire, now: () => number) {
    this.wire = wire
    const { type, remoteAddress } = wire
    if (type === 'tcpIncoming' && remoteAddress !== undefined) this.origin = originOf(remoteAddress)
    if (type === 'tcpIncoming') this.group = this.origin ?? remoteAddress
    else if (type === 'webrtc') this.group = type
    this.usedAt = now()
    const used = (): void => {
      this.usedAt = now()
      this.used = true
    }
    wire.on('upload', used)
    wire.on('download', used)
  }

  close(): void {
    this.wire.destroy()
  }
}

/** Of connections, as many as are more than `most`, those not used for the longest time first. */
export function surplus(links: Iterable<PeerLink>, most: number): PeerLink[] {
  const all = [...links]
  if (all.length <= most) return []
  return all.toSorted((a, b) => a.usedAt - b.usedAt).slice(0, all.length - most)
}
