import type { Torrent } from 'webtorrent'
import type { Claims } from '../peers/claims.ts'
import type { FileStore } from '../reading/file-store.ts'
import type { HeldTorrent } from './held-torrent.ts'
import { surplus } from '../peers/peer-link.ts'
import type { Newcomer, PeerLink } from '../peers/peer-link.ts'
import type { Used } from './recency.ts'
import type { TorrentPieces } from '../reading/torrent-pieces.ts'
import { yielding } from '../peers/yielding.ts'

/** One origin may have a quarter of a torrent's connections, but a few in any case. */
const share = 4
const fewest = 2

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
  /** When somebody last asked for it, in milliseconds of the injected clock. */
  askedAt: number
  /** When it was woken, or the first peer from somewhere came; who comes again does not count again. */
  arrivedAt: number
  readonly #origins = new Set<string>()
  readonly #links = new Set<PeerLink>()
  /** Those whose takings keep it awake. */
  readonly #takers = new Set<PeerLink>()
  #lastTaking = -Infinity
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
    return Math.max(this.askedAt, this.#lastTaking)
  }

  /** When a peer that is still here was last sent bytes of it; what is beyond its origin's claims does not count. */
  get tookAt(): number {
    let last = -Infinity
    for (const { usedAt } of this.#takers) last = Math.max(last, usedAt)
    return last
  }

  /** Whether there is a peer, connected or being connected. */
  get hasPeers(): boolean {
    return (this.torrent._peers?.size ?? 0) > 0
  }

  join(link: PeerLink, claims: Claims): void {
    this.#links.add(link)
    const { origin } = link
    if (!this.#origins.has(origin ?? '') && this.#origins.size < mostNewcomers) {
      this.#origins.add(origin ?? '')
      this.arrivedAt = link.usedAt
    }
    link.wire.once('close', () => {
      this.#links.delete(link)
      if (this.#takers.delete(link) && origin !== undefined) claims.release(origin, this.infoHash)
    })
    link.wire.on('upload', () => {
      const isTaker = this.#takers.has(link) || origin === undefined || claims.take(origin, this.infoHash)
      if (!isTaker) return
      this.#takers.add(link)
      this.#lastTaking = link.usedAt
    })
  }

  /**
   * Whether a peer that came may join. If need be another one goes for it: one that never took anything, of
   * those who have more places than the newcomer, or one over which nothing passed for `idleAfter` milliseconds.
   */
  admits(newcomer: Newcomer, limits: { maxConnsPerItem: number; idleAfter: number }, now: number): boolean {
    const { origin, group } = newcomer
    if (group === undefined) return true
    const counts = new Map<string | undefined, number>()
    for (const link of this.#links) counts.set(link.group, (counts.get(link.group) ?? 0) + 1)
    const countOf = (one: string): number => counts.get(one) ?? 0
    const most = Math.max(Math.ceil(limits.maxConnsPerItem / share), fewest)
    const isShareTaken = origin !== undefined && countOf(origin) >= most
    if (!isShareTaken && this.#links.size < limits.maxConnsPerItem) return true
    const places = [...this.#links].filter((link) => !isShareTaken || link.origin === origin)
    const [idlest] = surplus(places, places.length - 1)
    const isIdle = idlest !== undefined && idlest.usedAt + limits.idleAfter <= now
    const goes = yielding(places, newcomer, now, countOf) ?? (isIdle ? idlest : undefined)
    if (goes !== undefined) this.#close(goes)
    return goes !== undefined
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
