import type Wire from 'bittorrent-protocol'
import type { Logger } from 'pino'
import type { Torrent } from 'webtorrent'
import type { Egress } from '../../egress/index.ts'
import { FetchFailedError } from '../errors.ts'
import { Holders } from './holders.ts'
import { readMetainfo } from '../metainfo/metainfo.ts'
import { Parole } from './parole.ts'
import { Patience } from './patience.ts'
import { picksOf } from './picks.ts'
import type { Fetched, FetchRequest, Metainfo, Passage } from '../port.ts'

export interface DownloadOptions {
  egress: Egress
  /** How the bytes of one answer of a web seed keep to the download limits. */
  passage: () => Passage
  logger: Logger
}

/** One fetch, from an infohash to every byte on disk. `finished` settles once; `end` stops what still runs. */
export class Download {
  readonly finished: Promise<Fetched>
  readonly #torrent: Torrent
  readonly #request: FetchRequest
  readonly #holders: Holders
  readonly #patience: Patience
  #metainfo: Metainfo | undefined
  #refusal: Error | undefined
  #received = 0
  #verified = 0

  constructor(torrent: Torrent, request: FetchRequest, options: DownloadOptions) {
    this.#torrent = torrent
    this.#request = request
    this.#holders = new Holders(torrent, { ...options, ...request, received: (bytes) => this.#receive(bytes) })
    this.#patience = new Patience(torrent, () => performance.now())
    new Parole(torrent, {
      banned: (wire) => {
        const source = this.#holders.sourceOf(wire)
        options.logger.warn(
          { infoHash: request.infoHash, source },
          'a peer gave wrong bytes, and is banned from this item',
        )
        if (source !== undefined) request.poisoned?.(source)
      },
    })
    this.#checkMetadata()
    torrent.on('wire', (wire: Wire) => {
      // A web seed's piece comes through its wire in one go, minutes after its first bytes if the limits are low.
      if (wire.type !== 'webSeed') wire.on('download', (bytes: number) => this.#receive(bytes))
    })
    torrent.on('verified', (piece: number) => {
      this.#verified += piece === torrent.pieces.length - 1 ? torrent.lastPieceLength : torrent.pieceLength
      request.onProgress?.(this.#received, this.#verified)
      if (torrent.ready) request.onPiece?.(piece)
    })
    torrent.once('infoHash', () => this.#holders.dial())
    torrent.once('ready', () => {
      if (this.#metainfo !== undefined) this.#holders.addWebSeeds(this.#metainfo)
      request.picks?.(picksOf(torrent))
    })
    this.finished = new Promise((resolve, reject) => {
      torrent.once('done', () => resolve(this.#fetched()))
      torrent.once('error', (error: Error) => {
        reject(this.#refusal ?? new FetchFailedError(request.infoHash, error.message, { cause: error }))
      })
      torrent.once('close', () => reject(new FetchFailedError(request.infoHash, 'it was removed')))
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true })
    })
  }

  #receive(bytes: number): void {
    this.#received += bytes
    this.#request.onProgress?.(this.#received, this.#verified)
  }

  end(): void {
    this.#patience.end()
    this.#holders.end()
  }

  /** Metadata comes from peers: it is refused here, before the engine makes pieces and files of it. */
  #checkMetadata(): void {
    const torrent = this.#torrent
    const accept = torrent._onMetadata.bind(torrent)
    torrent._onMetadata = async (metadata) => {
      if (torrent.destroyed) return
      try {
        const bytes = metadata instanceof Uint8Array ? metadata : torrent.torrentFile
        this.#metainfo ??= this.#accepted(readMetainfo(bytes, this.#request))
      } catch (error) {
        return torrent._destroy(error as Error)
      }
      await accept(metadata)
    }
  }

  #accepted(metainfo: Metainfo): Metainfo {
    try {
      this.#request.accept?.(metainfo)
      return metainfo
    } catch (error) {
      this.#refusal = error as Error
      throw error
    }
  }

  #fetched(): Fetched {
    const metainfo = this.#metainfo
    if (metainfo === undefined) throw new FetchFailedError(this.#request.infoHash, 'it ended without metadata')
    return { metainfo: this.#torrent.torrentFile, name: metainfo.name, files: metainfo.files }
  }
}
