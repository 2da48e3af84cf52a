import { once } from 'node:events'
import { isIP } from 'node:net'
import type Wire from 'bittorrent-protocol'
import type { Torrent, TorrentOptions } from 'webtorrent'
import type { Logger } from 'pino'
import type { Egress } from '../egress/index.ts'
import type { ActiveTorrent } from './active-torrent.ts'
import { Announcer } from './announcer/index.ts'
import type { Progress } from './announcer/index.ts'
import { Download } from './download.ts'
import { Engine, obfuscated } from './engine.ts'
import { FetchFailedError, SwarmClosedError, SwarmStartError } from './errors.ts'
import { FileStore } from './file-store.ts'
import type { FileStoreOptions } from './file-store.ts'
import { defaultLimits } from './limits.ts'
import { readMetainfo } from './metainfo.ts'
import { OpenFiles } from './open-files.ts'
import type { Fetched, FetchRequest, Shelf, Swarm, SwarmLimits, SwarmStats } from './port.ts'
import { ReadAhead } from './read-ahead.ts'
import { Signalling } from './signalling.ts'
import { tendPeers } from './torrent-peers.ts'
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
  shelf: Shelf
  egress: Egress
  logger: Logger
}

/** The engine looks for peers every so many seconds only to tell nobody. */
const never = 2_000_000

/** The `Swarm` port on WebTorrent: TCP peers, WebRTC peers, and HTTP servers as web seeds (BEP 19). */
export class WebTorrentSwarm implements Swarm {
  readonly #options: SwarmOptions
  readonly #openFiles = new OpenFiles()
  readonly #readAhead = new ReadAhead()
  /** Seeded torrents, asleep or awake, by their obfuscated hash. */
  readonly #seeded = new Map<string, string>()
  /** Torrents awake or being fetched, by infohash. */
  readonly #torrents = new Map<string, ActiveTorrent>()
  readonly #waking = new Map<string, Promise<Torrent | undefined>>()
  readonly #channels: Connections
  #limits: SwarmLimits
  #engine: Engine | undefined
  #announcer: Announcer | undefined
  #connections = 0
  #uploaded = 0
  #downloaded = 0

  constructor(options: SwarmOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#channels = new Connections({
      egress: options.egress,
      iceServers: options.iceServers ?? [],
      maxConnections: this.#limits.maxChannels,
      ...(options.host !== undefined && { host: options.host }),
    })
  }

  async start(): Promise<void> {
    const { port, host, egress, logger } = this.#options
    const engine = new Engine(
      { torrentPort: host === undefined ? port : { port, host }, maxConns: this.#limits.maxConnsPerItem },
      {
        byInfoHash: (infoHash) => this.#awake(infoHash),
        byObfuscated: async (hash) => {
          const fetching = [...this.#torrents.values()].find(({ torrent }) => torrent.infoHashHash === hash)
          return fetching?.torrent ?? this.#awake(this.#seeded.get(hash) ?? '')
        },
      },
    )
    // Peers named by others are addresses already; a name among them is not looked up at all.
    engine.blocked = { contains: (address) => !isAddress(address) || !egress.isAllowedAddress(address) }
    engine.on('upload', (bytes: number) => (this.#uploaded += bytes))
    engine.on('download', (bytes: number) => (this.#downloaded += bytes))
    try {
      await once(engine, 'listening')
    } catch (error) {
      throw new SwarmStartError(port, { cause: error })
    }
    engine.on('error', (error: Error) => logger.error({ err: error }, 'the swarm engine failed'))
    this.#engine = engine
    this.limit({})
    this.#announcer = new Announcer({
      trackers: this.#options.trackers,
      node: { peerId: engine.peerId, port: () => engine.torrentPort },
      progress: (infoHash) => this.#progress(infoHash),
      found: (infoHash, peer) => {
        // Who lacks pieces comes by itself. Holders of a large library would dial each other for every item otherwise.
        const known = this.#torrents.get(infoHash)
        if (known?.fetching === true) known.torrent.addPeer(peer)
      },
      signalling: new Signalling({
        connections: this.#channels,
        maxConns: () => this.#limits.maxConnsPerItem,
        find: (infoHash) => this.#torrents.get(infoHash),
        wake: (infoHash) => this.wake(infoHash),
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
    if (this.#torrents.get(infoHash)?.fetching === true) throw new FetchFailedError(infoHash, 'it is being fetched')
    if (this.has(infoHash)) return
    this.#seeded.set(obfuscated(infoHash), infoHash)
    this.#announcer?.add(infoHash)
  }

  restore(infoHashes: Iterable<string>): void {
    for (const infoHash of infoHashes) this.seed(infoHash)
  }

  has(infoHash: string): boolean {
    return this.#seeded.has(obfuscated(infoHash))
  }

  async wake(infoHash: string): Promise<boolean> {
    return (await this.#awake(infoHash)) !== undefined
  }

  async fetch(request: FetchRequest): Promise<Fetched> {
    const engine = this.#running()
    const { infoHash, signal } = request
    signal.throwIfAborted()
    if (this.#torrents.has(infoHash) || this.has(infoHash))
      throw new FetchFailedError(infoHash, 'it is seeded or fetched already')
    if (request.metainfo !== undefined) checkMetainfo(request.metainfo, request)
    let store: FileStore | undefined
    const torrent = this.#open(
      engine,
      infoHash,
      request.metainfo ?? infoHash,
      (index) => request.filePath(index),
      false,
      (opened) => {
        store = opened
      },
    )
    const entry = this.#torrents.get(infoHash)
    if (entry !== undefined) entry.size = request.size
    torrent.once('infoHash', () => this.#announcer?.add(infoHash))
    const download = new Download(torrent, request, { egress: this.#options.egress, logger: this.#options.logger })
    try {
      const fetched = await download.finished
      await store?.createEmptyFiles()
      this.#announcer?.complete(infoHash)
      return fetched
    } finally {
      download.end()
      await this.remove(infoHash)
    }
  }

  async remove(infoHash: string): Promise<void> {
    const known = this.#torrents.get(infoHash)
    if (!this.#seeded.delete(obfuscated(infoHash)) && known === undefined) return
    this.#torrents.delete(infoHash)
    this.#announcer?.remove(infoHash)
    if (known === undefined) return
    this.#readAhead.forget(infoHash)
    if (!known.torrent.destroyed) await new Promise<void>((resolve) => known.torrent.destroy({}, () => resolve()))
  }

  limit(limits: Partial<SwarmLimits>): void {
    this.#limits = { ...this.#limits, ...limits }
    const { uploadLimit, downloadLimit, maxConns, maxConnsPerItem, maxOpenFiles, maxChannels } = this.#limits
    this.#openFiles.limit = maxOpenFiles
    this.#channels.maxConnections = maxChannels
    const engine = this.#engine
    if (engine === undefined) return
    engine.throttleUpload(uploadLimit || -1)
    engine.throttleDownload(downloadLimit || -1)
    engine.maxConns = maxConnsPerItem
    const server = engine._connPool?.tcpServer
    if (server !== undefined) server.maxConnections = maxConns
  }

  limits(): SwarmLimits {
    return this.#limits
  }

  stats(): SwarmStats {
    return {
      torrents: this.#seeded.size + [...this.#torrents.values()].filter(({ fetching }) => fetching).length,
      awake: this.#torrents.size,
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
    await this.#announcer?.close()
    this.#torrents.clear()
    this.#seeded.clear()
    await new Promise<void>((resolve) => engine.destroy(() => resolve()))
    this.#channels.close()
    await this.#openFiles.close()
  }

  /** The torrent of a handshake or an offer, woken if it sleeps. */
  async #awake(infoHash: string): Promise<Torrent | undefined> {
    const known = this.#torrents.get(infoHash)
    if (known !== undefined || !this.has(infoHash)) return known?.torrent
    const waking = this.#waking.get(infoHash) ?? this.#wake(infoHash).finally(() => this.#waking.delete(infoHash))
    this.#waking.set(infoHash, waking)
    return waking
  }

  async #wake(infoHash: string): Promise<Torrent | undefined> {
    try {
      const whole = await this.#options.shelf.open(infoHash)
      if (whole === undefined || this.#engine === undefined || !this.has(infoHash)) return undefined
      const path = (index: number): string => whole.files[index]?.path ?? ''
      const torrent = this.#open(this.#engine, infoHash, whole.metainfo, path, true)
      await ready(torrent)
      return torrent
    } catch (error) {
      this.#options.logger.warn({ infoHash, err: error }, 'an item could not be woken')
      return undefined
    }
  }

  #open(
    engine: Engine,
    infoHash: string,
    metainfo: string | Uint8Array,
    filePath: (index: number) => string,
    whole: boolean,
    opened: (store: FileStore) => void = () => {},
  ): Torrent {
    let store: FileStore | undefined
    const options: TorrentOptions<FileStoreOptions> = {
      announce: [],
      skipVerify: whole,
      strategy: 'sequential',
      noPeersIntervalTime: never,
      store: FileStore,
      storeCacheSlots: 0,
      storeOpts: {
        own: {
          openFiles: this.#openFiles,
          filePath,
          opened: (made) => {
            store = made
            opened(made)
          },
        },
      },
    }
    const torrent = engine.open(infoHash, metainfo, options)
    this.#torrents.set(infoHash, { torrent, fetching: !whole, size: 0, lostPeer: false })
    torrent.on('warning', (warning: Error) => this.#options.logger.debug({ infoHash, warning }, 'torrent warning'))
    torrent.on('error', (error: Error) => {
      this.#options.logger.warn({ infoHash, err: error }, 'a torrent stopped')
      if (this.#torrents.get(infoHash)?.torrent !== torrent) return
      this.#torrents.delete(infoHash)
      if (!whole) this.#announcer?.remove(infoHash)
    })
    tendPeers(torrent, {
      peerId: engine.peerId,
      maxConns: () => this.#limits.maxConnsPerItem,
      readAhead: this.#readAhead,
      store: () => store,
      connected: (wire) => this.#count(wire),
    })
    return torrent
  }

  #progress(infoHash: string): Progress | undefined {
    const entry = this.#torrents.get(infoHash)
    if (entry === undefined) return this.has(infoHash) ? { uploaded: 0, downloaded: 0, left: 0 } : undefined
    const { torrent, fetching, size } = entry
    const left = fetching && !torrent.done ? Math.max(size - torrent.downloaded, 1) : 0
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

/** The engine's own reader may not see foreign bytes before this: some make it loop for ever. */
function checkMetainfo(metainfo: Uint8Array, request: FetchRequest): void {
  try {
    readMetainfo(metainfo, request)
  } catch (error) {
    throw new FetchFailedError(request.infoHash, (error as Error).message, { cause: error })
  }
}

function isAddress(host: string): boolean {
  return isIP(host) !== 0
}

/** Resolves once peers are answered; rejects when the torrent ends before. */
function ready(torrent: Torrent): Promise<void> {
  return new Promise((resolve, reject) => {
    torrent.once('ready', resolve)
    torrent.once('error', reject)
    torrent.once('close', () => reject(new FetchFailedError(torrent.infoHash, 'it was removed')))
  })
}
