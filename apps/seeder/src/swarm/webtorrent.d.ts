/** The part of WebTorrent 3 that this folder relies on, internals included where no public way exists. */
declare module 'webtorrent' {
  import type { EventEmitter } from 'node:events'
  import type { Server, Socket } from 'node:net'
  import type Wire from 'bittorrent-protocol'

  type Done = (error?: Error | null) => void

  /** abstract-chunk-store. */
  export interface ChunkStore {
    readonly chunkLength: number
    get(index: number, options: { offset?: number; length?: number } | null, done: ChunkDone): void
    get(index: number, done: ChunkDone): void
    put(index: number, bytes: Uint8Array, done: Done): void
    close(done: Done): void
    destroy(done: Done): void
  }
  type ChunkDone = (error: Error | null, bytes?: Uint8Array) => void

  export interface StoreOptions<T> {
    files: { path: string; length: number; offset: number }[]
    length: number
    own: T
  }

  export interface ClientOptions {
    torrentPort?: number | { port: number; host: string }
    maxConns?: number
    dht?: boolean
    lsd?: boolean
    tracker?: boolean
    utPex?: boolean
    natUpnp?: boolean
    natPmp?: boolean
    utp?: boolean
    webSeeds?: boolean
    seedOutgoingConnections?: boolean
    peerId?: string
    userAgent?: string
  }

  export interface TorrentOptions<T> {
    announce: string[]
    store: new (chunkLength: number, options: StoreOptions<T>) => ChunkStore
    storeOpts: { own: T }
    storeCacheSlots: number
    skipVerify?: boolean
    /** Nothing is asked for until it is selected. */
    deselect?: boolean
    strategy?: 'rarest' | 'sequential'
    uploads?: number
  }

  /** A duplex stream over WebRTC, as `addPeer` takes it. */
  export interface PeerStream {
    readonly id: string
    destroy(): unknown
  }

  export interface IncomingPeer {
    readonly destroyed: boolean
    readonly wire: Wire | null
    swarm: Torrent | null
    handshakeTimeout: NodeJS.Timeout | null
    onHandshake(infoHash: string, peerId: string): void
    destroy(error?: Error): void
  }

  /** A peer that is connected, being tried or waiting. */
  export interface KnownPeer {
    readonly wire: Wire | null
    readonly conn: unknown
  }

  /** A piece that is not held yet, in blocks of 16 KiB (torrent-piece). */
  export interface TorrentPiece {
    readonly _buffer: readonly Uint8Array[] | null
    /** Takes blocks from number `block` on. @returns whether all are here */
    set(block: number, bytes: Uint8Array, source: Wire): boolean
    /** The bytes of all blocks. */
    flush(): Uint8Array | null
  }

  export interface Torrent extends EventEmitter {
    readonly infoHash: string
    infoHashHash?: string
    readonly name: string
    readonly ready: boolean
    readonly done: boolean
    readonly destroyed: boolean
    readonly length: number
    readonly pieceLength: number
    readonly lastPieceLength: number
    /** `null` for pieces that are held and verified. */
    readonly pieces: readonly (TorrentPiece | null)[]
    readonly torrentFile: Uint8Array
    discovery: { complete(): void; destroy(done: () => void): void } | null
    _rarityMap: { destroy(): void } | null
    readonly files: readonly { path: string; name: string; length: number }[]
    readonly wires: readonly Wire[]
    readonly _peers: Map<string, KnownPeer> | null
    readonly _numConns: number
    readonly uploaded: number
    readonly received: number
    readonly downloaded: number
    addPeer(peer: string | PeerStream): boolean
    _addPeer(peer: string | PeerStream, type: string, source: unknown): unknown
    addWebSeed(connection: Wire & { connId: string }): void
    removePeer(id: string): void
    destroy(options: { destroyStore?: boolean }, done?: Done): void
    _destroy(error: Error | null): void
    /** Asks a peer for a block of a piece. @returns false when there is none, or enough was asked for */
    _request(wire: Wire, piece: number, hotswap: boolean): boolean
    /** Asks a peer for all that it should be asked for now. */
    _updateWire(wire: Wire): void
    _onMetadata(metadata: unknown): Promise<void>
    _processParsedTorrent(parsed: object): void
    /** SHA-1 of each piece, in hex. Nothing for pieces that never had to be fetched. */
    readonly _hashes: (string | undefined)[]
    /** Takes a piece out of what is held, and selects it. */
    _markUnverified(piece: number): void
    /** Asks for pieces, those of higher priority first. Streams' selections are not merged with others. */
    _select(from: number, to: number, priority: number, notify: undefined, isStreamSelection: true): void
    /** Takes one selection of a stream back. */
    _deselect(from: number, to: number, isStreamSelection: true): void
    /** These pieces are asked of a fast peer too when a slow one was asked already. */
    critical(from: number, to: number): void
    /** Takes a piece for right, and tells nobody. */
    _markVerified(piece: number): void
    _checkDone(): boolean
    _addIncomingPeer(peer: IncomingPeer): void
    _onWire(wire: Wire, address?: string | null): void
  }

  export default class WebTorrent extends EventEmitter {
    constructor(options: ClientOptions)
    readonly peerId: string
    /** Connections per torrent. */
    maxConns: number
    readonly torrentPort: number
    readonly destroyed: boolean
    readonly downloadSpeed: number
    readonly uploadSpeed: number
    /** Addresses that no peer may have (an ip-set by default). */
    blocked?: { contains(host: string): boolean }
    readonly _connPool: { readonly tcpServer: Server; _onTCPConnectionBound(socket: Socket): void } | null
    readonly throttleGroups: unknown
    readonly secure: number
    add<T>(torrent: string | Uint8Array | object, options: TorrentOptions<T>): Torrent
    get(torrent: string): Promise<Torrent | null>
    _getByHash(infoHashHash: string): Promise<Torrent | null>
    destroy(done: Done): void
  }
}

declare module 'webtorrent/lib/peer.js' {
  import type { Socket } from 'node:net'
  import type { IncomingPeer } from 'webtorrent'

  const Peer: {
    createTCPIncomingPeer(socket: Socket, throttleGroups: unknown, secure: number): IncomingPeer
  }
  export default Peer
}

declare module 'create-torrent' {
  export default function createTorrent(
    input: unknown,
    options: { name?: string; pieceLength?: number; announceList?: string[][] },
    done: (error: Error | null, metainfo: Uint8Array) => void,
  ): void
}
