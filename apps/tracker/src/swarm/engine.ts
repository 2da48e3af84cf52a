import Server from 'bittorrent-tracker/server'

interface EngineOptions {
  /** Milliseconds. */
  interval: number
  maxSwarms: number
  maxPeersPerSwarm: number
  maxPeers: number
  now: () => number
}

/**
 * The stock tracker without any listener of its own: it is handed checked messages only.
 *
 * Here its memory is bounded. Torrents are counted, refused beyond a limit, dropped when their last peer leaves, and
 * swept when nobody has announced them for two intervals.
 */
export class Engine extends Server {
  #peers = 0
  // Insertion order is the order of the last announce, so a sweep looks at expired torrents only.
  readonly #lastAnnounce = new Map<string, number>()
  readonly #ttl: number
  readonly #now: () => number

  constructor({ interval, maxSwarms, maxPeersPerSwarm, maxPeers, now }: EngineOptions) {
    super({
      http: false,
      udp: false,
      ws: false,
      stats: false,
      interval,
      peersCacheLength: maxPeersPerSwarm,
      peersCacheTtl: 2 * interval,
      filter: (infoHash, _params, callback) => {
        const known = this.#lastAnnounce.has(infoHash)
        const room = this.#lastAnnounce.size < maxSwarms && this.#peers < maxPeers
        callback(known || room ? null : new Error('this tracker is full: try again later, or another one'))
      },
    })
    this.#ttl = 2 * interval
    this.#now = now
  }

  get swarms(): number {
    return this.#lastAnnounce.size
  }

  get peers(): number {
    return this.#peers
  }

  countsOf(infoHash: string): { complete: number; incomplete: number } {
    const swarm = this.torrents[infoHash]
    return { complete: swarm?.complete ?? 0, incomplete: swarm?.incomplete ?? 0 }
  }

  /** Two first announces may ask for the same swarm at once: both get the same one, or a peer would be lost. */
  override createSwarm(
    infoHash: string,
    callback: (error: null, swarm: InstanceType<typeof Server.Swarm>) => void,
  ): void {
    callback(null, (this.torrents[infoHash] ??= new CountedSwarm(infoHash, this)))
  }

  /** Called by a swarm whenever somebody announced to it. */
  announced(infoHash: string, peersBefore: number, peersAfter: number): void {
    this.#peers += peersAfter - peersBefore
    this.#lastAnnounce.delete(infoHash)
    if (peersAfter > 0) this.#lastAnnounce.set(infoHash, this.#now())
    else delete this.torrents[infoHash]
  }

  /** Drops the torrents whose every peer is gone. */
  sweep(): void {
    for (const [infoHash, last] of this.#lastAnnounce) {
      if (this.#now() - last < this.#ttl) return
      this.#peers -= this.torrents[infoHash]?.peers.length ?? 0
      this.#lastAnnounce.delete(infoHash)
      delete this.torrents[infoHash]
    }
  }
}

class CountedSwarm extends Server.Swarm {
  readonly #engine: Engine

  constructor(infoHash: string, engine: Engine) {
    super(infoHash, engine)
    this.#engine = engine
  }

  override announce(params: unknown, callback?: (error: Error | null, response: unknown) => void): void {
    const before = this.peers.length
    super.announce(params, callback)
    this.#engine.announced(this.infoHash, before, this.peers.length)
  }
}
