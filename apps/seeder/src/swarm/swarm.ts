import { once } from 'node:events'
import { isIP } from 'node:net'
import type Wire from 'bittorrent-protocol'
import type { Logger } from 'pino'
import type { Egress } from '../egress/index.ts'
import { ActiveSet } from './active-set.ts'
import type { ActiveTorrent } from './active-torrent.ts'
import { Announcer } from './announcer/index.ts'
import type { Progress } from './announcer/index.ts'
import { Door } from './door.ts'
import { Download } from './download.ts'
import { Engine } from './engine.ts'
import { FetchFailedError, SwarmClosedError, SwarmStartError } from './errors.ts'
import { defaultLimits } from './limits.ts'
import { checkMetainfo } from './metainfo.ts'
import { OpenFiles } from './open-files.ts'
import { Opening } from './opening.ts'
import { PeerSlots } from './peer-slots.ts'
import type {
  Fetched,
  FetchRequest,
  ItemLimits,
  Passage,
  PieceLedger,
  Shelf,
  Swarm,
  SwarmLimits,
  SwarmStats,
} from './port.ts'
import { passageOf, Rates } from './rates/index.ts'
import { ReadAhead } from './read-ahead.ts'
import { Items } from './items.ts'
import { Signalling } from './signalling.ts'
import { Waking } from './waking.ts'
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

/** The `Swarm` port on WebTorrent: TCP peers, WebRTC peers, and HTTP servers as web seeds (BEP 19). */
export class WebTorrentSwarm implements Swarm {
  readonly #options: SwarmOptions
  readonly #openFiles = new OpenFiles()
  readonly #readAhead = new ReadAhead()
  readonly #items = new Items()
  /** Seeded torrents that are awake, and those being fetched. */
  readonly #active: ActiveSet<ActiveTorrent>
  readonly #channels: Connections
  readonly #rates: Rates
  readonly #now: () => number
  #limits: SwarmLimits
  readonly #slots: PeerSlots
  #engine: Engine | undefined
  #door: Door | undefined
  #opening: Opening | undefined
  #waking: Waking | undefined
  #announcer: Announcer | undefined
  #connections = 0
  #uploaded = 0
  #downloaded = 0

  constructor(options: SwarmOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#now = options.now ?? (() => performance.now())
    this.#rates = new Rates(this.#now, options.itemLimits ?? (() => ({})))
    this.#active = new ActiveSet({
      ...this.#limits,
      now: this.#now,
      sleep: (torrent) => void this.#end(torrent),
    })
    this.#slots = new PeerSlots(this.#limits, this.#now)
    this.#channels = new Connections({
      egress: options.egress,
      iceServers: options.iceServers ?? [],
      maxConnections: this.#limits.maxChannels,
      ...(options.host !== undefined && { host: options.host }),
    })
  }

  async start(): Promise<void> {
    const { port, host, shelf, egress, logger, trackers } = this.#options
    const maxConns = (): number => this.#limits.maxConnsPerItem
    const engine = new Engine({ torrentPort: host === undefined ? port : { port, host }, maxConns: maxConns() })
    this.#door = new Door(
      engine,
      {
        byInfoHash: async (infoHash) => (await this.#awake(infoHash))?.torrent,
        byObfuscated: async (hash) => (await this.#awake(this.#items.byObfuscated(hash) ?? ''))?.torrent,
      },
      this.#slots,
    )
    // Peers named by others are addresses already; a name among them is not looked up at all.
    engine.blocked = { contains: (address) => isIP(address) === 0 || !egress.isAllowedAddress(address) }
    engine.on('upload', (bytes: number) => (this.#uploaded += bytes))
    engine.on('download', (bytes: number) => (this.#downloaded += bytes))
    try {
      await once(engine, 'listening')
    } catch (error) {
      throw new SwarmStartError(port, { cause: error })
    }
    engine.on('error', (error: Error) => logger.error({ err: error }, 'the swarm engine failed'))
    this.#engine = engine
    const opening = new Opening({
      engine,
      openFiles: this.#openFiles,
      readAhead: this.#readAhead,
      rates: this.#rates,
      ledger: this.#options.ledger ?? noLedger,
      slots: this.#slots,
      maxConns,
      connected: (wire) => this.#count(wire),
      failed: (torrent) => this.#failed(torrent),
      now: this.#now,
      logger,
    })
    this.#opening = opening
    this.#waking = new Waking({ shelf, active: this.#active, open: (whole) => opening.whole(whole), logger })
    this.limit({})
    this.#announcer = new Announcer({
      trackers,
      table: this.#items.table,
      node: { peerId: engine.peerId, port: () => engine.torrentPort },
      progress: (infoHash) => this.#progress(infoHash),
      found: (infoHash, peer) => {
        // Who lacks pieces comes by itself. Holders of a large library would dial each other for every item otherwise.
        const known = this.#active.get(infoHash)
        if (known?.fetching === true) known.torrent.addPeer(peer)
      },
      signalling: new Signalling({
        connections: this.#channels,
        maxConns,
        find: (infoHash) => this.#active.get(infoHash),
        wake: (infoHash) => this.#awake(infoHash),
        announceSoon: (infoHash) => this.#announcer?.signal(infoHash),
        logger,
      }),
      logger,
    })
  }

  get port(): number {
    return this.#running().torrentPort
  }

  seed(infoHash: string): void {
    this.#running()
    if (this.#active.get(infoHash)?.fetching === true) throw new FetchFailedError(infoHash, 'it is being fetched')
    if (this.#items.seed(infoHash)) this.#announcer?.add(infoHash)
  }

  restore(infoHashes: Iterable<string>): void {
    this.#running()
    const restored = [...infoHashes].filter((infoHash) => !this.#items.has(infoHash) && this.#items.seed(infoHash))
    this.#announcer?.restore(restored)
  }

  has(infoHash: string): boolean {
    return this.#items.isSeeded(infoHash)
  }

  async wake(infoHash: string): Promise<boolean> {
    return (await this.#awake(infoHash)) !== undefined
  }

  async fetch(request: FetchRequest): Promise<Fetched> {
    this.#running()
    const { infoHash, signal } = request
    signal.throwIfAborted()
    if (this.#items.has(infoHash) || this.#opening === undefined)
      throw new FetchFailedError(infoHash, 'it is seeded or fetched already')
    if (request.metainfo !== undefined) checkMetainfo(request.metainfo, request)
    const fetched = this.#opening.fetch(infoHash, request.metainfo, (index) => request.filePath(index))
    const { torrent } = fetched
    fetched.size = request.size
    this.#active.add(fetched)
    this.#items.fetch(infoHash)
    torrent.once('infoHash', () => this.#announcer?.add(infoHash))
    const { egress, logger } = this.#options
    const passage = (): Passage => passageOf((go) => this.#rates.download.turn(infoHash, go))
    const download = new Download(torrent, request, { egress, passage, logger })
    try {
      const result = await download.finished
      await fetched.store?.createEmptyFiles()
      this.#announcer?.complete(infoHash)
      return result
    } finally {
      download.end()
      await this.remove(infoHash)
    }
  }

  async remove(infoHash: string): Promise<void> {
    const known = this.#active.get(infoHash)
    this.#waking?.forget(infoHash)
    this.#announcer?.remove(infoHash)
    this.#items.delete(infoHash)
    if (known === undefined) return
    this.#active.delete(known)
    await this.#end(known)
  }

  limit(limits: Partial<SwarmLimits>): void {
    this.#limits = { ...this.#limits, ...limits }
    const { maxConnsPerItem, maxOpenFiles, maxChannels } = this.#limits
    this.#rates.limit(this.#limits)
    this.#openFiles.limit = maxOpenFiles
    this.#channels.maxConnections = maxChannels
    this.#active.limit(this.#limits)
    this.#slots.limit(this.#limits)
    for (const torrent of this.#active) torrent.limit(maxConnsPerItem)
    if (this.#engine !== undefined) this.#engine.maxConns = maxConnsPerItem
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
    return {
      torrents: this.#items.size,
      awake: this.#active.size,
      connections: this.#connections,
      uploadRate: this.#engine?.uploadSpeed ?? 0,
      downloadRate: this.#engine?.downloadSpeed ?? 0,
      uploaded: this.#uploaded,
      downloaded: this.#downloaded,
    }
  }

  async close(): Promise<void> {
    const engine = this.#engine
    if (engine === undefined) return
    this.#engine = undefined
    this.#door?.close()
    await this.#announcer?.close()
    this.#waking?.close()
    this.#active.close()
    await new Promise<void>((resolve) => engine.destroy(() => resolve()))
    this.#channels.close()
    await this.#openFiles.close()
  }

  /** The torrent that a handshake or an offer asks for, woken if it sleeps. */
  async #awake(infoHash: string): Promise<ActiveTorrent | undefined> {
    const known = this.#active.get(infoHash)
    if (known !== undefined) known.askedAt = this.#now()
    if (known !== undefined || !this.has(infoHash) || this.#engine === undefined) return known
    return this.#waking?.wake(infoHash)
  }

  #failed(torrent: ActiveTorrent): void {
    if (this.#active.delete(torrent)) void this.#end(torrent)
  }

  async #end(active: ActiveTorrent): Promise<void> {
    const { infoHash, torrent } = active
    this.#items.addUploaded(infoHash, torrent.uploaded)
    this.#readAhead.forget(infoHash)
    await active.end()
  }

  #progress(infoHash: string): Progress | undefined {
    const active = this.#active.get(infoHash)
    if (active === undefined && !this.has(infoHash)) return undefined
    if (active?.fetching !== true) {
      return { uploaded: this.#items.uploaded(infoHash) + (active?.torrent.uploaded ?? 0), downloaded: 0, left: 0 }
    }
    const { torrent, size } = active
    const left = torrent.done ? 0 : Math.max(size - torrent.downloaded, 1)
    return { uploaded: torrent.uploaded, downloaded: torrent.received, left }
  }

  #count(wire: Wire): void {
    this.#connections++
    wire.once('close', () => this.#connections--)
  }

  #running(): Engine {
    if (this.#engine === undefined) throw new SwarmClosedError()
    return this.#engine
  }
}

const noLedger: PieceLedger = { bad: () => {}, mended: () => {}, unwritable: () => {}, failed: () => {} }
