import type { Torrent } from 'webtorrent'
import type { FileStore } from './file-store.ts'
import type { HeldTorrent } from './held-torrent.ts'
import { surplus } from './peer-link.ts'
import type { PeerLink } from './peer-link.ts'
import type { Used } from './recency.ts'
import type { TorrentPieces } from './torrent-pieces.ts'

/** Newcomers that a torrent tells from those that came before, while it is awake. */
const mostNewcomers = 64

/** A torrent with state in memory: one that is seeded and awake, or one that is being fetched. */
export class ActiveTorrent implements Used {
  readonly infoHash: string
  readonly torrent: Torrent
  /** Its metainfo, when all of it is held; absent while it is being fetched. */
  readonly held: HeldTorrent | undefined
  /** Known once there is metadata. */
  store: FileStore | undefined
  pieces: TorrentPieces | undefined
  /** Bytes, of a torrent being fetched. */
  size = 0
  /** A peer's connection broke on this side: the next announce carries offers, whatever the torrent's state. */
  lostPeer = false
  /** When somebody last asked for it, and when a peer was last sent bytes of it, in milliseconds of the injected clock. */
  askedAt: number
  tookAt = -Infinity
  /** When it was woken, or the first peer from somewhere came; who comes again does not count again. */
  arrivedAt: number
  readonly #origins = new Set<string>()
  readonly #links = new Set<PeerLink>()
  #pins = 0

  constructor(infoHash: string, torrent: Torrent, held: HeldTorrent | undefined, now: number) {
    this.infoHash = infoHash
    this.torrent = torrent
    this.held = held
    this.askedAt = now
    this.arrivedAt = now
  }

  get fetching(): boolean {
    return this.held === undefined
  }

  /** Whether it is to be had from others: it is being fetched, or some of its pieces are wrong on disk. */
  get isWanting(): boolean {
    return this.fetching || (this.pieces?.wrongBytes ?? 0) > 0
  }

  get usedAt(): number {
    return Math.max(this.askedAt, this.tookAt)
  }

  /** Whether there is a peer, connected or being connected. */
  get hasPeers(): boolean {
    return (this.torrent._peers?.size ?? 0) > 0
  }

  join(link: PeerLink): void {
    this.#links.add(link)
    const { origin = '' } = link
    if (!this.#origins.has(origin) && this.#origins.size < mostNewcomers) {
      this.#origins.add(origin)
      this.arrivedAt = link.usedAt
    }
    link.wire.once('close', () => this.#links.delete(link))
    link.wire.on('upload', () => (this.tookAt = link.usedAt))
  }

  /** Whether one more peer may come. One that took nothing since `idleSince` goes for it, if need be. */
  admits(maxConns: number, idleSince: number): boolean {
    if (this.torrent._numConns < maxConns) return true
    const [idlest] = surplus(this.#links, this.#links.size - 1)
    if (idlest === undefined || idlest.usedAt > idleSince) return false
    this.#close(idlest)
    return true
  }

  /** Closes what is more than so many connections. */
  limit(maxConns: number): void {
    for (const link of surplus(this.#links, maxConns)) this.#close(link)
  }

  /** Keeps it awake, whatever else wants its place, until the answer is called. */
  pin(): () => void {
    let pinned = true
    this.#pins++
    return () => {
      if (pinned) this.#pins--
      pinned = false
    }
  }

  /** Whether it may not go to sleep. */
  get pinned(): boolean {
    return this.fetching || this.#pins > 0
  }

  /** Ends its connections and lets go of its files, which stay as they are. */
  async end(): Promise<void> {
    const { torrent } = this
    if (!torrent.destroyed) await new Promise<void>((resolve) => torrent.destroy({}, () => resolve()))
  }

  #close(link: PeerLink): void {
    this.#links.delete(link)
    link.close()
  }
}
