import type { Torrent } from 'webtorrent'

/** A torrent that this node seeds or fetches now. */
export interface ActiveTorrent {
  readonly torrent: Torrent
  readonly fetching: boolean
  /** Bytes of a torrent being fetched. */
  size: number
  /** A peer's connection broke on this side: the next announce carries offers, whatever the torrent's state. */
  lostPeer: boolean
}
