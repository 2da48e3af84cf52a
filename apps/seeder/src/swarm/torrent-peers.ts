import type Wire from 'bittorrent-protocol'
import type { Torrent } from 'webtorrent'
import type { FileStore } from './file-store.ts'
import type { ReadAhead } from './read-ahead.ts'
import { maxWaiting, Uploads } from './uploads.ts'
import type { PieceSource } from './uploads.ts'

/** Addresses of one torrent that are connected, being tried or waiting; exchange and trackers name as many as they like. */
const maxKnownPeers = 400

/** Blocks an unchoking peer may refuse one after the other. */
const maxRejections = 100

export interface TorrentPeersOptions {
  /** This node's own peer id, in hex. */
  peerId: string
  maxConns: number
  readAhead: ReadAhead
  /** Known once the torrent has metadata. */
  store(): FileStore | undefined
  connected(wire: Wire): void
}

/** Bounds one torrent's peers, and answers their requests from the store. */
export function tendPeers(torrent: Torrent, options: TorrentPeersOptions): void {
  const addPeer = torrent._addPeer.bind(torrent)
  const addIncomingPeer = torrent._addIncomingPeer.bind(torrent)
  /** Where this node itself answers, as trackers tell it. The engine would dial itself again every second. */
  const ownAddresses = new Set<string>()

  torrent._addPeer = (peer, type, source) => {
    const refused = torrent.destroyed || (torrent._peers?.size ?? 0) >= maxKnownPeers
    if (refused || (typeof peer === 'string' && ownAddresses.has(peer))) {
      if (typeof peer !== 'string') peer.destroy()
      return null
    }
    return addPeer(peer, type, source)
  }

  // The engine counts outgoing connections only.
  torrent._addIncomingPeer = (peer) => {
    if (torrent._numConns >= options.maxConns) return peer.destroy()
    addIncomingPeer(peer)
  }

  const source: PieceSource = {
    has: (piece) => torrent.pieces[piece] === null,
    pieceBytes: (piece) => (piece === torrent.pieces.length - 1 ? torrent.lastPieceLength : torrent.pieceLength),
    block(piece, offset, length) {
      const store = options.store()
      if (store === undefined) return Promise.reject(new Error('the torrent has no store yet'))
      const extent = { offset: piece * torrent.pieceLength, size: source.pieceBytes(piece) }
      return options.readAhead.block(torrent.infoHash, store, extent, offset, length)
    },
  }

  torrent.on('wire', (wire: Wire) => {
    if (wire.peerId === options.peerId) {
      if (wire.type === 'tcpOutgoing') ownAddresses.add(`${wire.remoteAddress}:${wire.remotePort}`)
      return wire.destroy()
    }
    if (wire.type !== 'webSeed') {
      new Uploads(wire, source)
      wire.extendedHandshake.reqq = maxWaiting
      endUnwillingPeer(wire)
    }
    options.connected(wire)
    // What arrived in one packet with the handshake was read before the engine listened for it.
    if (wire.peerExtendedHandshake.m !== undefined) wire.ut_metadata?.onExtendedHandshake(wire.peerExtendedHandshake)
    if (torrent.ready) setImmediate(answerInterest, wire)
  })
  torrent.on('ready', () => {
    for (const wire of torrent.wires) setImmediate(answerInterest, wire)
  })
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
