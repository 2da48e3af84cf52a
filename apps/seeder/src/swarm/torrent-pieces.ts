import type { Torrent } from 'webtorrent'
import type { Contents, Piece } from './contents.ts'
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
  /** A wrong piece was fetched anew, and its right bytes are in place, synced. */
  mended(piece: number): void
  /** Something else kept a piece from being read. */
  failed(error: unknown): void
  /** Milliseconds since 1970. */
  now(): number
}

/** The pieces of one torrent: checked when they are read, taken back when they are wrong. */
export class TorrentPieces implements Contents, PieceSource {
  readonly #torrent: Torrent
  readonly #options: TorrentPiecesOptions
  readonly #bad = new Set<number>()
  #proofs: Proofs | undefined

  constructor(torrent: Torrent, options: TorrentPiecesOptions) {
    this.#torrent = torrent
    this.#options = options
    // Before a peer is told which pieces there are.
    torrent.once('ready', () => {
      for (const piece of options.bad) this.#lose(piece)
    })
    torrent.on('verified', (piece: number) => {
      if (this.#bad.delete(piece)) options.mended(piece)
    })
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

  /** Pieces that are wrong on disk and wait to be mended. */
  get wrong(): ReadonlySet<number> {
    return this.#bad
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

  failed(error: unknown): void {
    if (!this.#torrent.destroyed) this.#options.failed(error)
  }

  /** From here on the engine fetches the piece from whoever has it. */
  #lose(index: number): void {
    const torrent = this.#torrent
    if (!(index < torrent.pieces.length)) return
    this.#bad.add(index)
    this.#proofs?.drop(index)
    torrent._hashes[index] = this.#options.hashOf(index)
    torrent._markUnverified(index)
    torrent._checkDone()
    // BEP 54, for those who know it. Others are told with a rejection when they ask.
    for (const wire of torrent.wires) wire.lt_donthave?.donthave(index)
  }
}
