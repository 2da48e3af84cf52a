import { EventEmitter, once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Torrent } from 'webtorrent'
import type { Contents, Piece } from './contents.ts'
import { BadPieceError, FetchFailedError, UnwritableError } from '../errors.ts'
import type { FileStore } from './file-store.ts'
import { Proofs } from './proofs.ts'
import type { ReadAhead } from './read-ahead.ts'
import type { Run } from './run.ts'
import type { PieceSource } from './uploads.ts'

export interface TorrentPiecesOptions {
  readAhead: ReadAhead
  /** Known once the torrent has metadata. */
  store(): FileStore | undefined
  /** The SHA-1 that a piece must have, in hex. */
  hashOf(piece: number): string
  /** Pieces known to be wrong on disk. */
  bad: readonly number[]
  /** A piece was read and is wrong. Nobody is sent it, nor told that it is here, from now on. */
  found(piece: number): void
  /** Something else kept a piece from being read. */
  failed(error: unknown): void
  /** Whether the disk with the files is there. */
  isHere(): Promise<boolean>
  /** Milliseconds since 1970. */
  now(): number
}

/** The pieces of one torrent: checked when they are read, taken back when they are wrong. */
export class TorrentPieces implements Contents, PieceSource {
  readonly #torrent: Torrent
  readonly #options: TorrentPiecesOptions
  /** Those that are wrong on disk. */
  readonly #bad = new Set<number>()
  /** Those that were, and are right again, on disk and synced; nobody was told yet. */
  readonly #mended = new Set<number>()
  readonly #news = new EventEmitter()
  #proofs: Proofs | undefined
  #unwritable: Error | undefined

  constructor(torrent: Torrent, options: TorrentPiecesOptions) {
    this.#torrent = torrent
    this.#options = options
    // Before a peer is told which pieces there are.
    torrent.once('ready', () => {
      for (const piece of options.bad) this.#lose(piece)
    })
    torrent.on('verified', (piece: number) => {
      if (!this.#bad.delete(piece)) return
      this.#mended.add(piece)
      this.#news.emit('news')
    })
    torrent.once('close', () => this.#news.emit('news'))
  }

  get infoHash(): string {
    return this.#torrent.infoHash
  }

  get proofs(): Proofs {
    this.#proofs ??= new Proofs(this.#torrent.pieces.length, this.#options.now)
    return this.#proofs
  }

  /** @throws Error when there is nothing to read from */
  get source(): FileStore {
    const store = this.#options.store()
    if (store === undefined) throw new Error('the torrent has no files yet')
    return store
  }

  /** Bytes of pieces that are wrong on disk. */
  get wrongBytes(): number {
    const last = this.#torrent.pieces.length - 1
    const { pieceLength } = this.#torrent
    return this.#bad.size * pieceLength - (this.#bad.has(last) ? pieceLength - this.pieceBytes(last) : 0)
  }

  has(index: number): boolean {
    return this.#torrent.pieces[index] === null
  }

  pieceBytes(index: number): number {
    const { pieces, lastPieceLength, pieceLength } = this.#torrent
    return index === pieces.length - 1 ? lastPieceLength : pieceLength
  }

  piece(index: number): Piece {
    const offset = index * this.#torrent.pieceLength
    return { index, offset, size: this.pieceBytes(index), hash: this.#options.hashOf(index) }
  }

  hold(index: number, offset: number): Run {
    return this.#options.readAhead.hold(this, index, offset)
  }

  release(run: Run): void {
    this.#options.readAhead.release(run)
  }

  read(index: number, offset: number, length: number): Promise<Uint8Array> {
    return this.#options.readAhead.read(this, index, offset, length)
  }

  bad(index: number): void {
    if (this.#torrent.destroyed || !this.has(index)) return
    this.#lose(index)
    this.#options.found(index)
  }

  isHere(): Promise<boolean> {
    return this.#options.isHere()
  }

  failed(error: unknown): void {
    if (!this.#torrent.destroyed) this.#options.failed(error)
  }

  /** What was fetched for a wrong piece cannot be written. */
  unwritable(error: Error): void {
    this.#unwritable = error
    this.#news.emit('news')
  }

  /** Reads the wrong pieces again: somebody else may have mended them. @throws FetchFailedError; the abort reason */
  async checkWrong(signal: AbortSignal): Promise<void> {
    for (const piece of this.#bad) if (await this.#check(piece, signal)) this.#restore(piece)
  }

  /** Reads every other piece that was not checked lately. @throws FetchFailedError; the abort reason */
  async checkOthers(signal: AbortSignal): Promise<void> {
    for (let piece = 0; piece < this.#torrent.pieces.length; piece++) {
      if (this.has(piece) && this.proofs.of(piece) === undefined) await this.#check(piece, signal)
    }
  }

  /** Resolves when no piece is wrong. @throws FetchFailedError, UnwritableError; the abort reason */
  async whole(signal: AbortSignal): Promise<void> {
    if (this.#unwritable !== undefined) this.#fetchAnew()
    while (this.#bad.size > 0) {
      this.#assertGoing(signal)
      const error: Error | undefined = this.#unwritable
      if (error !== undefined) throw new UnwritableError(this.infoHash, { cause: error })
      await once(this.#news, 'news', { signal }).catch(() => signal.throwIfAborted())
    }
  }

  /** The pieces mended since this was last asked. */
  takeMended(): number[] {
    const mended = [...this.#mended]
    this.#mended.clear()
    return mended
  }

  /** @returns whether it is right */
  async #check(piece: number, signal: AbortSignal): Promise<boolean> {
    this.#assertGoing(signal)
    const began = performance.now()
    try {
      await this.#options.readAhead.check(this, piece)
      return true
    } catch (error) {
      if (error instanceof BadPieceError) return false
      throw error
    } finally {
      // Half of the disk's and of the thread's time is left to those who wait for bytes.
      await setTimeout(performance.now() - began)
    }
  }

  #assertGoing(signal: AbortSignal): void {
    signal.throwIfAborted()
    if (this.#torrent.destroyed) throw new FetchFailedError(this.infoHash, 'it was put to sleep or removed')
  }

  /** The engine keeps a piece that it could not store as it is. */
  #fetchAnew(): void {
    this.#unwritable = undefined
    for (const piece of this.#bad) this.#torrent._markUnverified(piece)
  }

  /** It is right on disk, whoever wrote it. */
  #restore(index: number): void {
    const torrent = this.#torrent
    if (torrent.destroyed || !this.#bad.has(index)) return
    torrent._markVerified(index)
    for (const wire of torrent.wires) wire.have(index)
    torrent._checkDone()
  }

  /** From here on the engine fetches the piece from whoever has it. */
  #lose(index: number): void {
    const torrent = this.#torrent
    if (!(index < torrent.pieces.length)) return
    this.#bad.add(index)
    this.#mended.delete(index)
    this.#proofs?.drop(index)
    torrent._hashes[index] = this.#options.hashOf(index)
    torrent._markUnverified(index)
    torrent._checkDone()
    // BEP 54, for those who know it. Others are told with a rejection when they ask.
    for (const wire of torrent.wires) wire.lt_donthave?.donthave(index)
  }
}
