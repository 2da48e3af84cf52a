import type Wire from 'bittorrent-protocol'
import { Credit } from './rates/index.ts'
import type { TurnOf } from './rates/index.ts'
import { blockBytes } from './read-ahead.ts'
import type { Run } from './read-ahead.ts'

/** BEP 3: clients that ask for more than 128 KiB at once are dropped. */
const maxBlockBytes = 128 * 1024

/** Requests a peer may have waiting, told to it as `reqq` (BEP 10); libtorrent says 2,000 of itself. */
export const maxWaiting = 2_000

/** Blocks are taken from the disk while fewer bytes than this wait for the peer to read. */
const sendAheadBytes = 1024 * 1024

/** Requests whose reading is started before their turn. */
const readAheadRequests = 64

/** The torrent as one peer's requests see it. */
export interface PieceSource {
  /** Whether the piece exists and is held and verified. */
  has(piece: number): boolean
  pieceBytes(piece: number): number
  /** The run of a block, held until `release`. @throws Error when there is nothing to read from */
  hold(piece: number, offset: number): Run
  release(run: Run): void
  /** A block of unusual place or size. */
  read(piece: number, offset: number, length: number): Promise<Uint8Array>
}

/**
 * Answers one peer's requests in order, as fast as the peer reads: what it has not read yet is bounded, so asking and
 * not reading costs this node nothing. A block that cannot be read ends the connection: some clients ask again at once
 * for what is rejected, without end.
 */
export class Uploads {
  readonly #wire: Wire
  readonly #source: PieceSource
  /** Buffers on their way to the socket, and the runs they lie in. */
  readonly #sending = new WeakMap<Uint8Array, Run>()
  readonly #credit: Credit
  #reading = false

  /** @param turn the peer's place among all that wait for bytes to be let out */
  constructor(wire: Wire, source: PieceSource, turn: TurnOf) {
    this.#wire = wire
    this.#source = source
    this.#credit = new Credit(turn, () => this.#send())
    wire.once('close', () => this.#credit.end())
    wire._onRequest = (piece, offset, length) => this.#request(piece, offset, length)
    wire._read = (done) => {
      done(null)
      this.#send()
    }
  }

  /** Told when a socket needs a buffer no more. What no one tells of is left to the garbage collector. */
  sent(bytes: Uint8Array): void {
    const run = this.#sending.get(bytes)
    if (run === undefined) return
    this.#sending.delete(bytes)
    this.#source.release(run)
  }

  #request(piece: number, offset: number, length: number): void {
    const wire = this.#wire
    if (length <= 0 || length > maxBlockBytes) return wire.destroy()
    const full = wire.peerRequests.length >= maxWaiting
    if (full || wire.amChoking || !this.#source.has(piece)) return this.#refuse(piece, offset, length)
    if (offset < 0 || offset + length > this.#source.pieceBytes(piece)) return wire.destroy()
    wire.peerRequests.push({ piece, offset, length, callback: () => {} })
    if (wire.peerRequests.length <= readAheadRequests && this.#isUsual(piece, offset, length)) {
      this.#source.release(this.#source.hold(piece, offset))
    }
    this.#send()
  }

  #refuse(piece: number, offset: number, length: number): void {
    if (this.#wire.hasFast) this.#wire.reject(piece, offset, length)
  }

  #isUsual(piece: number, offset: number, length: number): boolean {
    return offset % blockBytes === 0 && length === Math.min(blockBytes, this.#source.pieceBytes(piece) - offset)
  }

  #send(): void {
    const wire = this.#wire
    while (!this.#reading && !wire.destroyed && wire._readableState.buffered < sendAheadBytes) {
      const first = wire.peerRequests[0]
      if (first === undefined) return
      const { piece, offset, length } = first
      const credit = this.#credit.have(length, wire.peerRequests.length * blockBytes)
      if (credit === 0) return
      if (!this.#isUsual(piece, offset, length)) {
        const read = this.#source.read(piece, offset, length)
        return this.#await(read, (block) => {
          // Cancelled or choked while the disk was read: the peer was told, or does not wait for it.
          const at = wire.peerRequests.indexOf(first)
          if (at === -1) return
          wire.peerRequests.splice(at, 1)
          this.#credit.use(length)
          wire.piece(piece, offset, block)
        })
      }
      const run = this.#source.hold(piece, offset)
      if (run.ready) this.#sendRun(run, piece, offset, credit)
      else this.#await(run.reading, () => {})
      this.#source.release(run)
    }
  }

  /** Sends what is asked for in one go, if it lies in one run: clients ask for the blocks of a piece in order. */
  #sendRun(run: Run, piece: number, offset: number, most: number): void {
    const wire = this.#wire
    let end = offset
    let count = 0
    for (const request of wire.peerRequests) {
      if (request.piece !== piece || request.offset !== end || end >= run.end) break
      if (!this.#isUsual(piece, end, request.length) || end + request.length - offset > most) break
      end += request.length
      count++
    }
    wire.peerRequests.splice(0, count)
    this.#credit.use(end - offset)
    const messages = run.messages(offset, end)
    run.users++
    this.#sending.set(messages, run)
    wire.uploaded += end - offset
    wire.uploadSpeed(end - offset)
    wire._push(messages)
    wire.emit('upload', end - offset)
  }

  #await<T>(work: Promise<T>, then: (value: T) => void): void {
    this.#reading = true
    work.then(
      (value) => {
        this.#reading = false
        if (this.#wire.destroyed) return
        then(value)
        this.#send()
      },
      () => this.#wire.destroy(),
    )
  }
}
