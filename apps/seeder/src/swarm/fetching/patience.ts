import type Wire from 'bittorrent-protocol'
import type { Torrent } from 'webtorrent'

/** Milliseconds after which a source that gives nothing of what it was asked for is passed over. */
export const patienceMs = 2_000
/** Milliseconds for which it is then asked for nothing, twice as long each time. */
const [shortestRest, longestRest] = [5_000, 60_000]
const lookEvery = 500

interface Asked {
  /** When it last gave something, or was asked after it had nothing to give. */
  heardAt: number
  restUntil: number
  restFor: number
}

/**
 * Passes over peers of a fetch that give nothing: what they were asked for is asked of others, while there are any. They
 * stay connected, and count again with the first byte that they send.
 */
export class Patience {
  readonly #torrent: Torrent
  readonly #now: () => number
  readonly #asked = new Map<Wire, Asked>()
  readonly #timer: NodeJS.Timeout

  constructor(torrent: Torrent, now: () => number) {
    this.#torrent = torrent
    this.#now = now
    const request = torrent._request.bind(torrent)
    torrent._request = (wire, piece, hotswap) => !this.#rests(wire) && request(wire, piece, hotswap)
    torrent.on('wire', (wire: Wire) => this.#watch(wire))
    this.#timer = setInterval(() => this.#look(), lookEvery)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#asked.clear()
  }

  #watch(wire: Wire): void {
    // Web seeds answer in whole pieces, and look after their own silence.
    if (wire.type === 'webSeed') return
    const asked: Asked = { heardAt: this.#now(), restUntil: 0, restFor: shortestRest }
    this.#asked.set(wire, asked)
    wire.on('download', () => {
      Object.assign(asked, { heardAt: this.#now(), restUntil: 0, restFor: shortestRest })
    })
    wire.once('close', () => this.#asked.delete(wire))
  }

  #rests(wire: Wire): boolean {
    return (this.#asked.get(wire)?.restUntil ?? 0) > this.#now()
  }

  #look(): void {
    const now = this.#now()
    for (const [wire, asked] of this.#asked) {
      if (asked.restUntil > 0 && asked.restUntil <= now) {
        asked.restUntil = 0
        asked.heardAt = now
        this.#torrent._updateWire(wire)
      }
      if (wire.requests.length === 0) asked.heardAt = now
      else if (now - asked.heardAt >= patienceMs && this.#hasOther(wire)) this.#pass(wire, asked)
    }
  }

  #pass(wire: Wire, asked: Asked): void {
    asked.restUntil = this.#now() + asked.restFor
    asked.restFor = Math.min(asked.restFor * 2, longestRest)
    for (const { piece, offset, length } of wire.requests.slice()) wire.cancel(piece, offset, length)
  }

  /** Whether somebody else may give what this one does not. */
  #hasOther(than: Wire): boolean {
    const now = this.#now()
    const { wires, pieces } = this.#torrent
    return wires.some((wire) => {
      if (wire === than || wire.peerChoking || wire.destroyed) return false
      const asked = this.#asked.get(wire)
      if (asked !== undefined && (asked.restUntil > now || now - asked.heardAt >= patienceMs)) return false
      return pieces.some((piece, index) => piece !== null && wire.peerPieces.get(index))
    })
  }
}
