import type Wire from 'bittorrent-protocol'
import type { Torrent } from 'webtorrent'
import type { Turn, TurnOf } from '../rates/index.ts'

/** What peers are asked for at a time (BEP 3). */
const blockBytes = 16_384

interface Asking {
  turn: Turn
  waiting: boolean
  /** Bytes that may be asked for. */
  credit: number
}

/**
 * Asks peers for blocks no faster than the download limits allow, so that no bytes wait in a socket or, with WebRTC,
 * which has no way to slow a sender down, in memory. Web seeds are not asked in blocks and keep to the limits themselves.
 */
export function paceRequests(torrent: Torrent, turnOf: TurnOf): void {
  const request = torrent._request.bind(torrent)
  const update = torrent._updateWire.bind(torrent)
  const askings = new WeakMap<Wire, Asking>()

  torrent.on('wire', (wire: Wire) => {
    if (wire.type === 'webSeed' || wire.destroyed) return
    const turn = turnOf(() => {
      asking.waiting = false
      asking.credit = blockBytes
      torrent._updateWire(wire)
    })
    const asking: Asking = { turn, waiting: false, credit: 0 }
    askings.set(wire, asking)
    wire.once('close', () => turn.end())
  })

  torrent._request = (wire, piece, hotswap) => {
    const asking = askings.get(wire)
    if (asking === undefined || asking.turn.most === Infinity) return request(wire, piece, hotswap)
    if (asking.waiting || torrent.pieces[piece] === null) return false
    if (asking.credit === 0) {
      asking.waiting = !asking.turn.take(blockBytes)
      if (asking.waiting) return false
      asking.credit = blockBytes
    }
    const asked = request(wire, piece, hotswap)
    if (asked) asking.credit = 0
    return asked
  }

  torrent._updateWire = (wire) => {
    const asking = askings.get(wire)
    if (asking?.waiting === true) return
    update(wire)
    // There may be nothing to ask this peer for.
    if (asking === undefined || asking.credit === 0) return
    asking.turn.giveBack(asking.credit)
    asking.credit = 0
  }
}
