import type Wire from 'bittorrent-protocol'
import { Credit } from '../rates/index.ts'
import type { TurnOf } from '../rates/index.ts'
import { BadPieceError } from '../errors.ts'
import { blockBytes, runBytes } from './frames.ts'
import { Outgoing } from './outgoing.ts'
import type { Run } from './run.ts'
import { roomOf } from './run.ts'

/** BEP 3: clients that ask for more than 128 KiB at once are dropped. */
const maxBlockBytes = 128 * 1024

/** Requests a peer may have waiting, told to it as `reqq` (BEP 10); libtorrent says 2,000 of itself. */
export const maxWaiting = 2_000

/**
 * What browsers are told. They ask for all that they take in a second as soon as half of it has come: hundreds of small
 * datagrams, each second one of which SCTP answers. Those answers fill the browser's socket, and data is lost. Who has as
 * many waiting as it may asks for a block whenever one comes. Of 4 MiB a browser at 30 MB/s has 130 ms.
 */
export const maxWaitingOfBrowser = 256

/** Blocks are taken from the disk while fewer bytes than this wait for the peer to read. */
const sendAheadBytes = 1024 * 1024

/** Requests whose reading is started before their turn, and runs read for that at a time, and the bytes of these. */
const readAheadRequests = 128
const readAheadRuns = 4
const readAheadBytes = 2 * 1024 * 1024

/** As MSE numbers it. Enciphering copies, so that nothing would tell when a socket needs the memory no more. */
const rc4 = 2

/** What is not here may be asked for by those who were told otherwise before, but not without end. */
const maxLacking = 2 * maxWaiting

/** The torrent as one peer's requests see it. */
export interface PieceSource {
  /** Whether the piece exists and is held and verified. */
  has(piece: number): boolean
  pieceBytes(piece: number): number
  /** The run of a block, held until `release`; a piece that is wrong fails it. @throws Error when there is nothing yet */
  hold(piece: number, offset: number): Run
  release(run: Run): void
  /** A block of unusual place or size. @throws BadPieceError; the file system's error */
  read(piece: number, offset: number, length: number): Promise<Uint8Array>
}

/**
 * Answers one peer's requests in order, as fast as the peer reads: what it has not read yet is bounded, so asking and
 * not reading costs this node nothing. Blocks of a piece that turned out wrong are rejected; one that cannot be read for
 * another reason ends the connection, for some clients ask again at once for what is rejected, without end.
 */
export class Uploads {
  readonly #wire: Wire
  readonly #source: PieceSource
  readonly #outgoing: Outgoing
  readonly #credit: Credit
  #reading = false
  /** What `reading` is about, if it is a run. */
  #held: Run | undefined
  readonly #ahead = new Set<Run>()
  #lastAhead: { piece: number; start: number } | undefined
  #lacking = 0

  /** @param turn the peer's place among all that wait for bytes to be let out */
  constructor(wire: Wire, source: PieceSource, turn: TurnOf) {
    this.#wire = wire
    this.#source = source
    this.#outgoing = new Outgoing((run) => source.release(run))
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
    this.#outgoing.sent(bytes)
  }

  #request(piece: number, offset: number, length: number): void {
    const wire = this.#wire
    if (length <= 0 || length > maxBlockBytes) return wire.destroy()
    const full = wire.peerRequests.length >= maxWaiting
    if (full || wire.amChoking) return this.#refuse(piece, offset, length)
    if (!this.#source.has(piece)) return this.#lack(piece, offset, length)
    if (offset < 0 || offset + length > this.#source.pieceBytes(piece)) return wire.destroy()
    wire.peerRequests.push({ piece, offset, length, callback: noAnswer })
    if (wire.peerRequests.length <= readAheadRequests && this.#isUsual(piece, offset, length)) {
      this.#readAhead(piece, offset)
    }
    this.#send()
  }

  /** Of pieces of several runs only one at a time: for a single block of each, all of it is read. */
  #readAhead(piece: number, offset: number): void {
    const start = offset - (offset % runBytes)
    const same = this.#lastAhead?.piece === piece
    if (same && this.#lastAhead?.start === start) return
    const most = this.#source.pieceBytes(piece) > runBytes && !same ? 1 : readAheadRuns
    if (this.#ahead.size >= most || roomOf(this.#ahead) >= readAheadBytes) return
    this.#lastAhead = { piece, start }
    const run = this.#source.hold(piece, offset)
    if (!run.ready) {
      const done = (): boolean => this.#ahead.delete(run)
      this.#ahead.add(run)
      run.reading.then(done, done)
    }
    this.#source.release(run)
  }

  /** A piece that is not here. Its requests must not stay unanswered: the peer would wait for them. */
  #lack(piece: number, offset: number, length: number): void {
    this.#lacking++
    if (this.#wire.hasFast && this.#lacking <= maxLacking) return this.#wire.reject(piece, offset, length)
    this.#wire.peerRequests.length = 0
    this.#wire.destroy()
  }

  #lackAll(piece: number): void {
    for (const { offset, length } of this.#wire.peerRequests.filter((request) => request.piece === piece)) {
      if (!this.#wire.destroyed) this.#lack(piece, offset, length)
    }
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
      if (!this.#source.has(piece)) {
        this.#lackAll(piece)
        continue
      }
      const credit = this.#credit.have(length, wire.peerRequests.length * blockBytes)
      if (credit === 0) return
      if (!this.#isUsual(piece, offset, length)) {
        const read = this.#source.read(piece, offset, length)
        return this.#await(piece, read, (block) => {
          // Cancelled or choked while the disk was read: the peer was told, or does not wait for it.
          const at = wire.peerRequests.indexOf(first)
          if (at === -1) return
          wire.peerRequests.splice(at, 1)
          this.#credit.use(length)
          wire.piece(piece, offset, block)
        })
      }
      const run = this.#hold(piece, offset)
      if (!run.ready) {
        // It stays held until what is asked for of it was sent: others may need its room by then.
        this.#held = run
        return this.#await(piece, run.reading, () => {})
      }
      this.#sendRun(run, piece, offset, credit)
      this.#source.release(run)
    }
  }

  /** The run that was waited for, though others may have taken its place, or the one of the block. */
  #hold(piece: number, offset: number): Run {
    const run = this.#held
    if (run?.ready !== true || run.piece.index !== piece || run.start > offset || run.end <= offset) {
      this.#letGo()
      return this.#source.hold(piece, offset)
    }
    this.#held = undefined
    return run
  }

  #letGo(): void {
    if (this.#held !== undefined) this.#source.release(this.#held)
    this.#held = undefined
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
    wire.uploaded += end - offset
    wire.uploadSpeed(end - offset)
    wire._push(wire._encryptionMethod === rc4 ? messages : this.#outgoing.of(run, messages))
    wire.emit('upload', end - offset)
  }

  #await<T>(piece: number, work: Promise<T>, then: (value: T) => void): void {
    this.#reading = true
    work.then(
      (value) => {
        this.#reading = false
        const run = this.#held
        if (this.#wire.destroyed) return this.#letGo()
        then(value)
        this.#send()
        if (run === this.#held) this.#letGo()
      },
      (error: unknown) => {
        this.#reading = false
        this.#letGo()
        if (!(error instanceof BadPieceError)) return this.#wire.destroy()
        this.#lackAll(piece)
        this.#send()
      },
    )
  }
}

function noAnswer(): void {}
