/** The part of bittorrent-protocol 5 that this folder relies on. */
declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events'

  export interface WireRequest {
    piece: number
    offset: number
    length: number
    callback: (error: Error | null, block?: Uint8Array) => void
  }

  interface Extension {
    name: string
  }

  interface MetadataExtension extends Extension, EventEmitter {
    onExtendedHandshake(handshake: Record<string, unknown>): void
  }

  /** BEP 54. */
  interface DontHaveExtension extends Extension {
    onExtendedHandshake(): void
    /** Tells the peer, if it knows the extension, that a piece is no longer here. */
    donthave(piece: number): void
  }

  interface StreamState {
    /** Bytes that wait to be taken. */
    buffered: number
  }

  /** One BitTorrent connection: a duplex stream (streamx) of wire bytes. */
  export default class Wire extends EventEmitter {
    constructor(type?: string, encryption?: number)
    type: string
    destroyed: boolean
    remoteAddress?: string
    remotePort?: number
    peerId: string | null
    peerExtendedHandshake: Record<string, unknown>
    extendedMapping: Record<number, string>
    /** What this side says of itself (BEP 10), sent after the peer's handshake came. */
    extendedHandshake: Record<string, unknown>
    amChoking: boolean
    peerChoking: boolean
    peerInterested: boolean
    hasFast: boolean
    /** What the peer asked for and was not sent yet. */
    peerRequests: WireRequest[]
    requests: WireRequest[]
    /** What the peer says to have. */
    readonly peerPieces: { get(piece: number): boolean }
    uploaded: number
    /** Adds bytes to the measured rate. */
    uploadSpeed(bytes: number): number
    ut_metadata?: MetadataExtension
    lt_donthave?: DontHaveExtension
    readonly _readableState: StreamState
    /** Of an encrypted handshake. */
    readonly _encryptor: object
    _bufferSize: number
    _infoHash: Uint8Array | null
    /** Nothing more is read of what arrived until it is false again. */
    _pePending: boolean
    setInfoHash(infoHash: string): void
    _processBuffer: (this: Wire) => void
    _onMessageLength: (this: Wire, buffer: Uint8Array) => void
    _onMessage: (this: Wire, buffer: Uint8Array) => void
    _onExtended: (this: Wire, id: number, payload: Uint8Array) => void
    _onRequest(piece: number, offset: number, length: number): void
    _onCancel(piece: number, offset: number, length: number): void
    /** 2 is RC4 (MSE); what is pushed is copied then. */
    readonly _encryptionMethod: number | null | undefined
    _push: (this: Wire, bytes: Uint8Array) => boolean | undefined
    _read(done: (error: Error | null) => void): void
    extended: (this: Wire, extension: string | number, payload: unknown) => void
    handshake(infoHash: string, peerId: string, extensions?: { dht?: boolean; fast?: boolean }): void
    bitfield(bitfield: Uint8Array): void
    have(piece: number): void
    haveAll(): void
    choke(): void
    /** Takes a request back: its callback is told, and so is the peer. */
    cancel(piece: number, offset: number, length: number): void
    unchoke(): void
    piece(piece: number, offset: number, block: Uint8Array): void
    reject(piece: number, offset: number, length: number): void
    setKeepAlive(enable: boolean): void
    destroy(error?: Error): void
  }
}
