import { isIP } from 'node:net'
import type Wire from 'bittorrent-protocol'
import type { Logger } from 'pino'
import type { Egress } from '../egress/index.ts'
import { Announcer } from './announcer/index.ts'
import { Door } from './door.ts'
import { Download } from './download.ts'
import type { DownloadOptions } from './download.ts'
import { Engine } from './engine.ts'
import { SwarmClosedError } from './errors.ts'
import { defaultLimits } from './limits.ts'
import { mend } from './mend.ts'
import { checkMetainfo } from './metainfo.ts'
import { OpenFiles } from './open-files.ts'
import { PeerSlots } from './peer-slots.ts'
import type {
  Fetched,
  FetchRequest,
  ItemLimits,
  MendRequest,
  Passage,
  PieceLedger,
  Shelf,
  Swarm,
  SwarmLimits,
  SwarmStats,
} from './port.ts'
import { passageOf, Rates } from './rates/index.ts'
import { ReadAhead } from './read-ahead.ts'
import { Signalling } from './signalling.ts'
import { Torrents } from './torrents.ts'
import { Connections } from './webrtc/index.ts'

export interface SwarmOptions {
  /** TCP port for peers; 0 lets the system choose one. */
  port: number
  /** Address to listen on; every one when absent. */
  host?: string
  /** Announce URLs (http, https, udp, ws, wss) of this node's own trackers. */
  trackers: readonly string[]
  /** STUN and TURN URLs; without any, browsers behind the same kind of address translation cannot be reached. */
  iceServers?: readonly string[]
  /** Those of the first moment, as far as they differ from the defaults. */
  limits?: Partial<SwarmLimits>
  /** What an item's own limits are; none when absent. */
  itemLimits?: (infoHash: string) => ItemLimits
  shelf: Shelf
  ledger?: PieceLedger
  egress: Egress
  logger: Logger
  /** Milliseconds, never backwards. */
  now?: () => number
}

/** What exists while the swarm runs. */
interface Running {
  engine: Engine
  torrents: Torrents
  announcer: Announcer
}

/** The `Swarm` port on WebTorrent: TCP peers, WebRTC peers, and HTTP servers as web seeds (BEP 19). */
export class WebTorrentSwarm implements Swarm {
  readonly #options: SwarmOptions
  readonly #openFiles = new OpenFiles()
  readonly #channels: Connections
  readonly #rates: Rates
  readonly #slots: PeerSlots
  readonly #now: () => number
  #limits: SwarmLimits
  #door: Door | undefined
  #running: Running | undefined
  #connections = 0
  #uploaded = 0
  #downloaded = 0

  constructor(options: SwarmOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#now = options.now ?? (() => performance.now())
    this.#rates = new Rates(this.#now, options.itemLimits ?? (() => ({})))
    this.#slots = new PeerSlots(this.#limits, this.#now)
    this.#channels = new Connections({
      egress: options.egress,
      iceServers: options.iceServers ?? [],
      maxConnections: this.#limits.maxChannels,
      maxNegotiating: this.#limits.maxNegotiating,
      now: this.#now,
      ...(options.host !== undefined && { host: options.host }),
    })
  }

  async start(): Promise<void> {
    const { shelf, ledger = noLedger, logger } = this.#options
    const engine = await this.#listen()
    const torrents = new Torrents({
      engine,
      openFiles: this.#openFiles,
      readAhead: new ReadAhead(),
      rates: this.#rates,
      slots: this.#slots,
      limits: this.#limits,
      shelf,
      ledger,
      connected: (wire) => this.#count(wire),
      now: this.#now,
      logger,
    })
    this.#running = { engine, torrents, announcer: this.#announcer(engine, torrents) }
    this.limit({})
  }

  get port(): number {
    return this.#get().engine.torrentPort
  }

  seed(infoHash: string): void {
    const { torrents, announcer } = this.#get()
    if (torrents.seed(infoHash)) announcer.add(infoHash)
  }

  restore(infoHashes: Iterable<string>): void {
    const { torrents, announcer } = this.#get()
    const isNew = (infoHash: string): boolean => !torrents.items.has(infoHash) && torrents.seed(infoHash)
    announcer.restore([...infoHashes].filter(isNew))
  }

  has(infoHash: string): boolean {
    return this.#running?.torrents.items.isSeeded(infoHash) === true
  }

  async wake(infoHash: string): Promise<boolean> {
    return this.has(infoHash) && (await this.#running?.torrents.wake(infoHash)) !== undefined
  }

  async fetch(request: FetchRequest): Promise<Fetched> {
    const { torrents, announcer } = this.#get()
    const { infoHash, metainfo, signal } = request
    signal.throwIfAborted()
    if (metainfo !== undefined) checkMetainfo(metainfo, request)
    const fetching = torrents.fetch(request)
    fetching.torrent.once('infoHash', () => announcer.add(infoHash))
    const download = new Download(fetching.torrent, request, this.#fetching(infoHash))
    try {
      const fetched = await download.finished
      await fetching.store?.createEmptyFiles()
      announcer.complete(infoHash)
      return fetched
    } finally {
      download.end()
      await this.remove(infoHash)
    }
  }

  async check(infoHash: string, which: 'wrong' | 'all', signal: AbortSignal): Promise<number> {
    return await this.#get().torrents.use(infoHash, async ({ pieces }) => {
      await pieces?.checkWrong(signal)
      if (which === 'all') await pieces?.checkOthers(signal)
      return pieces?.wrongBytes ?? 0
    })
  }

  async mend(request: MendRequest): Promise<void> {
    const { torrents, announcer } = this.#get()
    const { infoHash } = request
    await torrents.use(infoHash, async (active) => {
      if (active.isWanting) announcer.hurry(infoHash)
      await mend(active, request, this.#fetching(infoHash))
      const { ledger = noLedger } = this.#options
      for (const piece of active.pieces?.takeMended() ?? []) ledger.mended(infoHash, piece)
      announcer.hurry(infoHash)
    })
  }

  async remove(infoHash: string): Promise<void> {
    this.#running?.announcer.remove(infoHash)
    await this.#running?.torrents.remove(infoHash)
  }

  limit(limits: Partial<SwarmLimits>): void {
    this.#limits = { ...this.#limits, ...limits }
    const { maxConnsPerItem, maxOpenFiles, maxChannels, maxNegotiating } = this.#limits
    this.#rates.limit(this.#limits)
    this.#openFiles.limit = maxOpenFiles
    this.#channels.limit({ maxConnections: maxChannels, maxNegotiating })
    this.#slots.limit(this.#limits)
    if (this.#running === undefined) return
    this.#running.torrents.limit(this.#limits)
    this.#running.engine.maxConns = maxConnsPerItem
  }

  limits(): SwarmLimits {
    return this.#limits
  }

  limitItem(infoHash: string): void {
    this.#rates.limitItem(infoHash)
  }

  downloadLimit(infoHash: string): number {
    return this.#rates.download.rateOf(infoHash)
  }

  uploadPassage(infoHash: string): Passage {
    return passageOf((go) => this.#rates.upload.turn(infoHash, go))
  }

  stats(): SwarmStats {
    const { engine, torrents } = this.#running ?? {}
    return {
      torrents: torrents?.items.size ?? 0,
      awake: torrents?.awake ?? 0,
      connections: this.#connections,
      refusedWakes: torrents?.wakesRefused ?? 0,
      refusedConnections: this.#slots.refused + (this.#door?.dropped ?? 0),
      channels: this.#channels.size - this.#channels.negotiating,
      negotiating: this.#channels.negotiating,
      offersDropped: this.#channels.dropped,
      uploadRate: engine?.uploadSpeed ?? 0,
      downloadRate: engine?.downloadSpeed ?? 0,
      uploaded: this.#uploaded,
      downloaded: this.#downloaded,
    }
  }

  async close(): Promise<void> {
    if (this.#running === undefined) return
    const { engine, torrents, announcer } = this.#running
    this.#running = undefined
    this.#door?.close()
    await announcer.close()
    torrents.close()
    await new Promise<void>((resolve) => engine.destroy(() => resolve()))
    this.#channels.close()
    await this.#openFiles.close()
  }

  async #listen(): Promise<Engine> {
    const { port, host, egress, logger } = this.#options
    const engine = new Engine({
      torrentPort: host === undefined ? port : { port, host },
      maxConns: this.#limits.maxConnsPerItem,
    })
    this.#door = new Door(engine, this.#slots, {
      byInfoHash: async (infoHash) => (await this.#running?.torrents.wake(infoHash))?.torrent,
      byObfuscated: async (hash) => (await this.#running?.torrents.wakeByObfuscated(hash))?.torrent,
    })
    // Peers named by others are addresses already; a name among them is not looked up at all.
    engine.blocked = { contains: (address) => isIP(address) === 0 || !egress.isAllowedAddress(address) }
    engine.on('upload', (bytes: number) => (this.#uploaded += bytes))
    engine.on('download', (bytes: number) => (this.#downloaded += bytes))
    await engine.listens(port)
    engine.on('error', (error: Error) => logger.error({ err: error }, 'the swarm engine failed'))
    return engine
  }

  #announcer(engine: Engine, torrents: Torrents): Announcer {
    const { trackers, logger } = this.#options
    const announcer: Announcer = new Announcer({
      trackers,
      table: torrents.items.table,
      node: { peerId: engine.peerId, port: () => engine.torrentPort },
      progress: (infoHash) => torrents.progress(infoHash),
      found: (infoHash, peer) => {
        // Who lacks pieces comes by itself. Holders of a large library would dial each other for every item otherwise.
        const known = torrents.find(infoHash)
        if (known?.isWanting === true) known.torrent.addPeer(peer)
      },
      signalling: new Signalling({
        connections: this.#channels,
        maxConns: () => this.#limits.maxConnsPerItem,
        has: (infoHash) => torrents.items.has(infoHash),
        find: (infoHash) => torrents.find(infoHash),
        wake: (infoHash) => torrents.wake(infoHash),
        announceSoon: (infoHash) => announcer.signal(infoHash),
        logger,
      }),
      logger,
    })
    return announcer
  }

  #fetching(infoHash: string): DownloadOptions {
    const { egress, logger } = this.#options
    return { egress, passage: () => passageOf((go) => this.#rates.download.turn(infoHash, go)), logger }
  }

  #count(wire: Wire): void {
    this.#connections++
    wire.once('close', () => this.#connections--)
  }

  #get(): Running {
    if (this.#running === undefined) throw new SwarmClosedError()
    return this.#running
  }
}

const noLedger: PieceLedger = {
  bad: () => {},
  mended: () => {},
  unwritable: () => {},
  failed: () => {},
  verified: () => {},
}
