import type Wire from 'bittorrent-protocol'
import type { WireRequest } from 'bittorrent-protocol'

/** BEP 3: clients that ask for more than 128 KiB at once are dropped. */
const maxBlockBytes = 128 * 1024

/** Requests a peer may have waiting, told to it as `reqq` (BEP 10); libtorrent says 2,000 of itself. */
export const maxWaiting = 2_000

/** Blocks are taken from the disk while fewer bytes than this wait for the peer to read. */
const sendAheadBytes = 1024 * 1024

/** Blocks whose reading is started before their turn. */
const readAheadRequests = 64

/** The torrent as one peer's requests see it. */
export interface PieceSource {
  /** Whether the piece exists and is held and verified. */
  has(piece: number): boolean
  pieceBytes(piece: number): number
  block(piece: number, offset: number, length: number): Uint8Array | Promise<Uint8Array>
}

/**
 * Answers one peer's requests in order, as fast as the peer reads: what it has not read yet is bounded, so asking and
 * not reading costs this node nothing. A block that cannot be read ends the connection: some clients ask again at once
 * for what is rejected, without end.
 */
export class Uploads {
  readonly #wire: Wire
  readonly #source: PieceSource
  #reading = false

  constructor(wire: Wire, source: PieceSource) {
    this.#wire = wire
    this.#source = source
    wire._onRequest = (piece, offset, length) => this.#request(piece, offset, length)
    wire._read = (done) => {
      done(null)
      this.#send()
    }
  }

  #request(piece: number, offset: number, length: number): void {
    const wire = this.#wire
    if (length <= 0 || length > maxBlockBytes) return wire.destroy()
    const full = wire.peerRequests.length >= maxWaiting
    if (full || wire.amChoking || !this.#source.has(piece)) return this.#refuse(piece, offset, length)
    if (offset < 0 || offset + length > this.#source.pieceBytes(piece)) return wire.destroy()
    wire.peerRequests.push({ piece, offset, length, callback: () => {} })
    if (wire.peerRequests.length <= readAheadRequests) this.#warm(piece, offset, length)
    this.#send()
  }

  #warm(piece: number, offset: number, length: number): void {
    const block = this.#source.block(piece, offset, length)
    // Its turn comes later and meets the same failure.
    if (block instanceof Promise) block.catch(() => {})
  }

  #refuse(piece: number, offset: number, length: number): void {
    if (this.#wire.hasFast) this.#wire.reject(piece, offset, length)
  }

  #send(): void {
    const wire = this.#wire
    while (!this.#reading && !wire.destroyed && wire._readableState.buffered < sendAheadBytes) {
      const request = wire.peerRequests[0]
      if (request === undefined) return
      const block = this.#source.block(request.piece, request.offset, request.length)
      if (block instanceof Promise) {
        this.#reading = true
        block.then(
          (bytes) => this.#read(request, bytes),
          () => this.#read(request, null),
        )
        return
      }
      this.#answer(request, block)
    }
  }

  #read(request: WireRequest, bytes: Uint8Array | null): void {
    this.#reading = false
    if (this.#wire.destroyed) return
    // Cancelled or choked while the disk was read: the peer was told, or does not wait for it.
    if (this.#wire.peerRequests.includes(request)) this.#answer(request, bytes)
    this.#send()
  }

  #answer(request: WireRequest, bytes: Uint8Array | null): void {
    const wire = this.#wire
    const at = wire.peerRequests.indexOf(request)
    wire.peerRequests.splice(at, 1)
    if (bytes === null) wire.destroy()
    else wire.piece(request.piece, request.offset, bytes)
  }
}
