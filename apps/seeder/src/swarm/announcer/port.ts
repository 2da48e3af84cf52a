/** Bytes of one torrent since it was started, and those it lacks. */
export interface Progress {
  uploaded: number
  downloaded: number
  /** Bytes still missing; 0 makes this node a seeder. */
  left: number
}

/** What a tracker is told about one torrent (BEP 3). */
export interface Announce extends Progress {
  /** 40 hex digits. */
  infoHash: string
  event: 'started' | 'completed' | 'stopped' | 'update'
}

/** How many peers to ask for: none for a torrent held whole, whose peers come by themselves, nor on leaving. */
export function wanted({ event, left }: Announce): number {
  return left === 0 || event === 'stopped' ? 0 : 50
}

/** What a tracker answered, not yet judged: any number may stand where one is. */
export interface AnnounceAnswer {
  /** Milliseconds until the tracker wants to hear again; undefined when it did not say. */
  interval: number | undefined
  /** Milliseconds before which it does not want to hear again. */
  minInterval?: number | undefined
  /** What the tracker has to say to the operator. */
  warning?: string | undefined
  /** `ip:port`, IPv6 in brackets. */
  peers: string[]
}

/** One tracker over one transport. */
export interface TrackerConnection {
  /**
   * Ends within half a minute, whatever the tracker does.
   * @throws Error when the tracker cannot be reached or does not answer in its protocol; TrackerRefusedError
   */
  announce(announce: Announce): Promise<AnnounceAnswer>
  /** Ends everything under way. */
  close(): void
}

/** This node as trackers know it. */
export interface Announcing {
  /** 40 hex digits. */
  peerId: string
  port(): number
}
