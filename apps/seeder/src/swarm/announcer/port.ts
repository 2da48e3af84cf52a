/** What a tracker is told about one torrent (BEP 3). */
export interface Announce {
  /** 40 hex digits. */
  infoHash: string
  event: 'started' | 'completed' | 'stopped' | 'update'
  uploaded: number
  downloaded: number
  /** Bytes still missing; 0 makes this node a seeder. */
  left: number
}

/** How many peers to ask for: none for a torrent held whole, whose peers come by themselves. */
export function wanted(left: number): number {
  return left === 0 ? 0 : 50
}

export interface AnnounceAnswer {
  /** Milliseconds until the tracker wants to hear again. */
  interval: number
  /** `ip:port`, IPv6 in brackets. */
  peers: string[]
}

/** One tracker over one transport. */
export interface TrackerConnection {
  /** @throws Error when the tracker cannot be reached or does not answer in its protocol; TrackerRefusedError */
  announce(announce: Announce): Promise<AnnounceAnswer>
  close(): void
}

/** This node as trackers know it. */
export interface Announcing {
  /** 40 hex digits. */
  peerId: string
  port(): number
}
