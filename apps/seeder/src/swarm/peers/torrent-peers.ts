import { Socket } from 'node:net'
import type Wire from 'bittorrent-protocol'
import type { Torrent } from 'webtorrent'
import { paceRequests } from './paced-requests.ts'
import type { TurnOf } from '../rates/index.ts'
import { maxWaiting, maxWaitingOfBrowser, Uploads } from '../reading/uploads.ts'
import type { PieceSource } from '../reading/uploads.ts'
import { Channel } from '../webrtc/index.ts'

/** Addresses of one torrent that are connected, being tried or waiting; exchange and trackers name as many as they like. */
const maxKnownPeers = 400

/** Blocks an unchoking peer may refuse one after the other. */
const maxRejections = 100

export interface TorrentPeersOptions {
  /** This node's own peer id, in hex. */
  peerId: string
  /** Whether one more channel may come. */
  admits(): boolean
  pieces: PieceSource
  connected(wire: Wire): void
  /** A peer's place among all that bytes are sent to, and among all that are asked for bytes. */
  upload: TurnOf
  download: TurnOf
}

/** Bounds one torrent's peers, and answers their requests from the store. */
export function tendPeers(torrent: Torrent, options: TorrentPeersOptions): void {
  const addPeer = torrent._addPeer.bind(torrent)
  const addIncomingPeer = torrent._addIncomingPeer.bind(torrent)
  /** Where this node itself answers, as trackers tell it. The engine would dial itself again every second. */
  const ownAddresses = new Set<string>()

  torrent._addPeer = (peer, type, source) => {
    const refused = torrent.destroyed || (torrent._peers?.size ?? 0) >= maxKnownPeers
    // A channel is connected when it comes; the engine itself calls so many addresses and no more.
    if (refused || (typeof peer === 'string' ? ownAddresses.has(peer) : !options.admits())) {
      if (typeof peer !== 'string') peer.destroy()
      return null
    }
    return addPeer(peer, type, source)
  }

  torrent._addIncomingPeer = (peer) => {
    // Ended during its handshake: the engine would keep it among its peers for ever.
    if (peer.destroyed) return
    if ((torrent._peers?.size ?? 0) >= maxKnownPeers) return peer.destroy()
    addIncomingPeer(peer)
  }

  // The engine would remember every address that it takes apart, up to 100,000 of them.
  const onWire = torrent._onWire.bind(torrent)
  torrent._onWire = (wire, address) => {
    const cut = address?.lastIndexOf(':') ?? -1
    if (typeof address === 'string' && cut > 0) {
      wire.remoteAddress = address.slice(0, cut).replace(/^\[|\]$/g, '')
      wire.remotePort = Number(address.slice(cut + 1))
    }
    onWire(wire)
  }

  paceRequests(torrent, options.download)
  torrent.on('wire', (wire: Wire) => {
    if (wire.peerId === options.peerId) {
      if (wire.type === 'tcpOutgoing') ownAddresses.add(`${wire.remoteAddress}:${wire.remotePort}`)
      return wire.destroy()
    }
    if (wire.type !== 'webSeed') {
      reportWrites(torrent, wire, new Uploads(wire, options.pieces, options.upload))
      wire.extendedHandshake.reqq = wire.type === 'webrtc' ? maxWaitingOfBrowser : maxWaiting
      endUnwillingPeer(wire)
    }
    options.connected(wire)
    // What arrived in one packet with the handshake was read before the engine listened for it.
    const known = wire.peerExtendedHandshake['m']
    if (known !== undefined) wire.ut_metadata?.onExtendedHandshake(wire.peerExtendedHandshake)
    if (known instanceof Object && 'lt_donthave' in known) wire.lt_donthave?.onExtendedHandshake()
    if (torrent.ready) setImmediate(answerInterest, wire)
  })
  torrent.on('ready', () => {
    for (const wire of torrent.wires) setImmediate(answerInterest, wire)
  })
}

/** Lets uploads know when the socket or channel has taken a buffer, which the engine's streams do not tell. */
function reportWrites(torrent: Torrent, wire: Wire, uploads: Uploads): void {
  const peer = [...(torrent._peers?.values() ?? [])].find((known) => known.wire === wire)
  if (peer?.conn instanceof Channel) peer.conn.taken = (bytes) => uploads.sent(bytes)
  if (!(peer?.conn instanceof Socket)) return
  const socket = peer.conn
  socket.setNoDelay(true)
  const write = socket.write.bind(socket) as (bytes: Uint8Array, done: () => void) => boolean
  socket.write = (bytes: Uint8Array | string) => {
    return typeof bytes === 'string' ? false : write(bytes, () => uploads.sent(bytes))
  }
}

/** The engine asks again at once for a block that is rejected: a peer that rejects all would keep both busy for ever. */
function endUnwillingPeer(wire: Wire): void {
  let rejected = 0
  wire.on('piece', () => (rejected = 0))
  wire.on('reject', () => {
    // Choking rejects what was asked for before, rightly.
    if (wire.peerChoking) return
    rejected++
    if (rejected > maxRejections) wire.destroy()
  })
}

function answerInterest(wire: Wire): void {
  if (wire.peerInterested && wire.amChoking && !wire.destroyed) wire.unchoke()
}
