import type { Socket } from 'node:net'
import Peer from 'webtorrent/lib/peer.js'
import type { IncomingPeer, Torrent } from 'webtorrent'
import type { Engine } from '../engine.ts'
import { HalfOpen } from './half-open.ts'
import { originOf } from './origin.ts'
import type { PeerSlots } from './peer-slots.ts'

/** Finds the torrent that an incoming connection asks for; it may have to be woken first. */
export interface Lookup {
  byInfoHash(infoHash: string): Promise<Torrent | undefined>
  /** By SHA-1 of `req2` and the infohash, as encrypted handshakes name a torrent (MSE). */
  byObfuscated(hash: string): Promise<Torrent | undefined>
}

/** Milliseconds from a connection to the end of its handshake. A torrent that has to be woken first is awake by then. */
const handshakeTime = 10_000

/**
 * Takes the engine's place at the peer port: leads each incoming connection to the torrent that its handshake names,
 * which may have to be woken first. Until it is there nothing more is read of the connection, so that nothing is lost.
 */
export class Door {
  readonly #engine: Engine
  readonly #lookup: Lookup
  readonly #slots: PeerSlots
  readonly #halfOpen = new HalfOpen<IncomingPeer>()

  constructor(engine: Engine, slots: PeerSlots, lookup: Lookup) {
    this.#engine = engine
    this.#lookup = lookup
    this.#slots = slots
    const pool = engine._connPool
    if (pool === null) return
    pool.tcpServer.off('connection', pool._onTCPConnectionBound)
    pool.tcpServer.on('connection', (socket) => this.#accept(socket))
  }

  /** Connections turned away since start, unheard. */
  get dropped(): number {
    return this.#halfOpen.dropped
  }

  close(): void {
    this.#halfOpen.clear()
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {})
    const address = socket.remoteAddress
    const origin = address === undefined ? undefined : originOf(address)
    if (address === undefined || this.#engine.destroyed || !this.#slots.mayCome(origin)) {
      socket.destroy()
      return
    }
    const peer = Peer.createTCPIncomingPeer(socket, this.#engine.throttleGroups, this.#engine.secure)
    const { wire } = peer
    if (wire === null) return
    this.#halfOpen.add(peer, origin ?? 'loopback')
    socket.once('close', () => this.#halfOpen.delete(peer))
    clearTimeout(peer.handshakeTimeout ?? undefined)
    peer.handshakeTimeout = setTimeout(() => peer.destroy(), handshakeTime).unref()

    wire.once('crypto-infohash', (hash: string) => {
      this.#find(peer, () => this.#lookup.byObfuscated(hash)).then(
        (torrent) => peer.destroyed || wire.setInfoHash(torrent.infoHash),
        () => peer.destroy(),
      )
    })
    wire.once('handshake', (infoHash: string, peerId: string) => {
      // Read no further, as during an encrypted handshake.
      wire._pePending = true
      this.#find(peer, () => this.#lookup.byInfoHash(infoHash)).then(
        () => {
          this.#halfOpen.delete(peer)
          peer.onHandshake(infoHash, peerId)
          // The engine listens from the next microtask on.
          queueMicrotask(() => {
            wire._pePending = false
            if (!wire.destroyed) wire._processBuffer()
          })
        },
        () => peer.destroy(),
      )
    })
  }

  /** The torrent that the peer has joined, or joins now. @throws Error when there is none for him */
  async #find(peer: IncomingPeer, find: () => Promise<Torrent | undefined>): Promise<Torrent> {
    if (peer.swarm !== null) return peer.swarm
    const torrent = await find()
    if (torrent === undefined || torrent.destroyed || peer.destroyed) throw new Error('the peer has nothing to join')
    peer.swarm = torrent
    torrent._addIncomingPeer(peer)
    return torrent
  }
}
