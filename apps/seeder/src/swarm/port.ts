/** A torrent whose bytes lie whole and verified on disk. `files` are absolute paths in torrent order. */
export interface WholeTorrent {
  infoHash: string
  metainfo: Uint8Array
  files: { path: string; size: number }[]
}

export interface FetchRequest {
  infoHash: string
  /** The size and piece length the manifest promises; metadata that says otherwise is refused before a byte is written. */
  size: number
  pieceLength: number
  /** `host:port` of holders, checked by the caller. */
  peers: string[]
  /** Web seed base URLs of holders (BEP 19), checked by the caller. */
  webSeeds: string[]
  /** The .torrent file when a holder gave it (its infohash was checked); without it peers are asked (BEP 9). */
  metainfo?: Uint8Array
  /**
   * Told now and then, at least once a second while bytes arrive, how many were received so far, and how many bytes the
   * pieces have that proved right.
   */
  onProgress?(received: number, verified: number): void
  /** Where file number `index` of the torrent is written. */
  filePath(index: number): string
  signal: AbortSignal
}

export interface Fetched {
  metainfo: Uint8Array
  name: string
  /** In torrent order; `path` as in the torrent, relative to its name. */
  files: { path: string; size: number }[]
}

export interface SwarmStats {
  torrents: number
  connections: number
  /** Bytes per second. */
  uploadRate: number
  downloadRate: number
  /** Bytes since start. */
  uploaded: number
  downloaded: number
}

/** The BitTorrent and WebRTC engine. Nothing outside this folder knows which one it is. */
export interface Swarm {
  /** Opens the peer port. */
  start(): Promise<void>
  /** The TCP port that peers connect to. */
  readonly port: number
  /** Seeds from disk without hashing. Resolves once the torrent answers peers; a torrent already seeded is left as it is. */
  seed(torrent: WholeTorrent): Promise<void>
  /** Whether it is seeded; one that is still being fetched is not. */
  has(infoHash: string): boolean
  /** Downloads every piece, each checked by SHA-1. @throws FetchFailedError; the abort reason when aborted */
  fetch(request: FetchRequest): Promise<Fetched>
  /** Stops seeding or fetching and drops its connections. */
  remove(infoHash: string): Promise<void>
  stats(): SwarmStats
  close(): Promise<void>
}
