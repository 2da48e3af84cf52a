import type Wire from 'bittorrent-protocol'
import { originOf } from './origin.ts'
import type { Used } from './recency.ts'

/** A connection to a peer, past its handshake. */
export class PeerLink implements Used {
  readonly wire: Wire
  /** Whom its place is charged to; undefined for a peer that nobody is charged for, as one that was called. */
  readonly origin: string | undefined
  /** When bytes of a torrent last passed, or it was made, in milliseconds. */
  usedAt: number

  constructor(wire: Wire, now: () => number) {
    this.wire = wire
    const { type, remoteAddress } = wire
    if (type === 'tcpIncoming' && remoteAddress !== undefined) this.origin = originOf(remoteAddress)
    this.usedAt = now()
    const used = (): void => {
      this.usedAt = now()
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
