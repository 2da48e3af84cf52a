import type { Egress } from '../egress/index.ts'

/** A torrent whose bytes lie whole and verified on disk. `files` are absolute paths in torrent order. */
export interface WholeTorrent {
  infoHash: string
  metainfo: Uint8Array
  files: { path: string; size: number }[]
  /**
   * Pieces known to be wrong. They are not sent, and are fetched again from whoever has them. Trackers are told of them
   * when it wakes, as it does to be mended: a sleeping item passes for whole, for nothing is known of it.
   */
  bad?: readonly number[]
}

/** Told what reading and mending finds out about the bytes on disk. It must not throw. */
export interface PieceLedger {
  /** A piece was read and its SHA-1 is wrong. It is not served from here on; the others are. */
  bad(infoHash: string, piece: number): void
  /** A wrong piece was fetched again: its right bytes are in place, and synced. */
  mended(infoHash: string, piece: number): void
  /** A wrong piece was fetched again and could not be written. */
  unwritable(infoHash: string, error: Error): void
  /** Something else kept a piece from being read: a file that is missing or too short, say. */
  failed(infoHash: string, error: unknown): void
  /** Whether the disk with the items is there: bytes that cannot be read are wrong only then. It must not reject. */
  isHere(): Promise<boolean>
  /** An item goes to sleep, or the swarm ends: when its pieces were last found right, seconds since 1970 by piece, 0 for those not read. */
  verified(infoHash: string, times: Uint32Array): void
}

/** Finds what is seeded when somebody asks for it; nothing of a torrent is kept in memory before that. */
export interface Shelf {
  /**
   * The torrent, its files compared with what is known of them.
   * @returns undefined when it may not be served now: it is gone, its bytes changed, or its disk is not there
   */
  open(infoHash: string): Promise<WholeTorrent | undefined>
}

export interface FetchRequest {
  infoHash: string
  /**
   * The size and piece length the manifest promises; metadata that says otherwise is refused before a byte is written.
   * Absent where nothing but the infohash is known.
   */
  size?: number
  pieceLength?: number
  /** Told what the metadata says before a byte is written; what it throws refuses the item, and is thrown by `fetch`. */
  accept?(metainfo: Metainfo): void
  /** `host:port` of holders, checked by the caller. */
  peers: string[]
  /** Web seed base URLs of holders (BEP 19), checked by the caller. */
  webSeeds: string[]
  /** Announce URLs of others, asked beside this node's own for as long as the fetch lasts. */
  trackers?: string[]
  /** Judges the addresses of these sources; without it the swarm's own does. */
  egress?: Egress
  /** The .torrent file when a holder gave it (its infohash was checked); without it peers are asked (BEP 9). */
  metainfo?: Uint8Array
  /** Told of one of these peers or web seeds whose bytes were wrong; it is not asked for anything more. */
  poisoned?(source: string): void
  /**
   * Told now and then, at least once a second while bytes arrive, how many were received so far, and how many bytes the
   * pieces have that proved right.
   */
  onProgress?(received: number, verified: number): void
  /**
   * Called once it is known what is on disk already. With it nothing is asked for but what is picked, and `fetch` goes on
   * until there is nothing left to pick.
   */
  picks?(picks: Picks): void
  /** Told of each piece that is right and on disk, after `picks`. It must not throw. */
  onPiece?(piece: number): void
  /** Where file number `index` of the torrent is written. */
  filePath(index: number): string
  signal: AbortSignal
}

/** Which pieces of an item that is being fetched are asked for, by those who read it meanwhile. */
export interface Picks {
  /** Whether the piece is on disk, and right. */
  has(piece: number): boolean
  /** Has the pieces from `first` to `last` fetched, in order, and ahead of `all`. @returns ends it */
  want(first: number, last: number): () => void
  /** Has all of them fetched. @returns ends it */
  all(): () => void
}

export interface MendRequest extends Pick<FetchRequest, 'infoHash' | 'peers' | 'webSeeds' | 'signal'> {
  /** Told how many bytes were received so far, and how many bytes the pieces have that were mended. */
  onProgress?(received: number, mended: number): void
}

/** What an info dictionary (BEP 3) says. */
export interface Metainfo {
  name: string
  pieceLength: number
  size: number
  /** In torrent order; for a single file the path equals the name, otherwise it is relative to the name. */
  files: { path: string; size: number }[]
  /** SHA-1 of each piece, one after the other. */
  pieces: Uint8Array
  /** Whether its publisher forbids all trackers but its own (BEP 27). */
  private: boolean
}

/** A .torrent file: its info dictionary alone, and the addresses that it names, which nobody checked. */
export interface TorrentFile {
  infoHash: string
  /** A dictionary of `info` and nothing else. */
  metainfo: Uint8Array
  trackers: string[]
  webSeeds: string[]
}

export interface Fetched extends Pick<Metainfo, 'name' | 'files'> {
  metainfo: Uint8Array
}

export interface SwarmStats {
  /** Torrents seeded, asleep or awake, and torrents being fetched. */
  torrents: number
  /** Torrents with state in memory: those asked for lately, and those being fetched. */
  awake: number
  connections: number
  /** Since start: torrents not woken because all that are awake were in use, and connections turned away. */
  refusedWakes: number
  refusedConnections: number
  /** WebRTC connections that are open. */
  channels: number
  /** WebRTC offers of peers that are answered and no connection yet. */
  negotiating: number
  /** WebRTC offers of peers since start that were not answered: malformed, of unknown items, or too many. */
  offersDropped: number
  /** Bytes per second. */
  uploadRate: number
  downloadRate: number
  /** Bytes since start. */
  uploaded: number
  downloaded: number
}

/** What the swarm may use of the machine. Each may change while it runs; a rate of 0 is no limit. */
export interface SwarmLimits {
  /** Bytes per second of all items together. */
  uploadLimit: number
  downloadLimit: number
  /** Bytes per second of each item that has no limit of its own. */
  itemUploadLimit: number
  itemDownloadLimit: number
  /** Connections over TCP of all items together; peers that a fetch calls are let in beyond it. */
  maxConns: number
  /** Connections of any kind of one item. */
  maxConnsPerItem: number
  /** File handles kept open for the next read or write. */
  maxOpenFiles: number
  /** Torrents awake at a time; those being fetched count too, and never go to sleep. */
  maxActive: number
  /** Milliseconds for which a torrent stays awake after its last byte went to a peer that is still connected. */
  idleAfter: number
  /** WebRTC connections, open or being made. */
  maxChannels: number
  /** WebRTC connections being made. */
  maxNegotiating: number
}

/** An item's own rates in bytes per second; 0 is no limit. What is absent is as for every item. */
export interface ItemLimits {
  uploadLimit?: number
  downloadLimit?: number
}

/** How bytes of an item that leave by another way than the swarm's own, such as an HTTP answer, keep to its limits. */
export interface Passage {
  /** The most bytes to let pass at once, so that others have their turn; infinite while there is no limit. */
  readonly most: number
  /** Resolves when so many bytes may pass, or at `end`; undefined when they may now. One at a time. */
  pass(bytes: number): Promise<void> | undefined
  end(): void
}

/** The BitTorrent and WebRTC engine. Nothing outside this folder knows which one it is. */
export interface Swarm {
  /** Opens the peer port. */
  start(): Promise<void>
  /** The TCP port that peers connect to. */
  readonly port: number
  /**
   * Offers a torrent that the shelf has, from now on, and announces it at once. It stays asleep until a peer, an offer
   * or `wake` asks for it. One already seeded is left as it is. @throws FetchFailedError while it is being fetched
   */
  seed(infoHash: string): void
  /**
   * `seed` for all that was seeded before the last stop, or a part of `outOf`: announced evenly over the trackers'
   * interval, not at once.
   */
  restore(infoHashes: readonly string[], outOf?: number): void
  /** Makes a seeded torrent answer peers ahead of their asking. @returns false when it is not seeded or the shelf lacks it */
  wake(infoHash: string): Promise<boolean>
  /** Whether it is seeded; one that is still being fetched is not. */
  has(infoHash: string): boolean
  /**
   * Downloads every piece, each checked by SHA-1. What was fetched is to be seeded next: trackers are told that it is
   * complete, and that it is gone only when it is not seeded within a minute. @throws FetchFailedError; the abort reason when aborted
   */
  fetch(request: FetchRequest): Promise<Fetched>
  /**
   * Reads pieces of a seeded torrent, and tells the ledger of wrong ones: those known to be wrong, or `all` that were not
   * found right within the last minute. @returns the bytes of those that are wrong
   * @throws FetchFailedError when it may not be read now; the abort reason when aborted
   */
  check(infoHash: string, pieces: 'wrong' | 'all', signal: AbortSignal): Promise<number>
  /**
   * Fetches the wrong pieces of a seeded torrent, checks them by SHA-1, and writes them in place. The others are served
   * meanwhile. Resolves when none is left, each told to the ledger as mended.
   * @throws FetchFailedError, UnwritableError; the abort reason when aborted
   */
  mend(request: MendRequest): Promise<void>
  /** Stops seeding or fetching and drops its connections. */
  remove(infoHash: string): Promise<void>
  /** Changes the limits that are given, at once and for what is under way too. */
  limit(limits: Partial<SwarmLimits>): void
  /** The limits in force. */
  limits(): SwarmLimits
  /** An item's own limits have changed: they are read again, and hold at once. */
  limitItem(infoHash: string): void
  /** Bytes per second that may be downloaded of an item now; 0 is no limit. */
  downloadLimit(infoHash: string): number
  /** For bytes of an item that are sent outside of the swarm but within its limits; to be ended. */
  uploadPassage(infoHash: string): Passage
  /** The same for bytes that are fetched of an item outside of the swarm. */
  downloadPassage(infoHash: string): Passage
  stats(): SwarmStats
  close(): Promise<void>
}
