import type Wire from 'bittorrent-protocol'
import type { Logger } from 'pino'
import type { Torrent, TorrentOptions } from 'webtorrent'
import { ActiveTorrent } from './active-torrent.ts'
import type { Allowance } from '../allowance.ts'
import type { Engine } from '../engine.ts'
import { FetchFailedError } from '../errors.ts'
import { FileStore } from '../reading/file-store.ts'
import type { FileStoreOptions } from '../reading/file-store.ts'
import { HeldTorrent } from './held-torrent.ts'
import { PeerLink } from '../peers/peer-link.ts'
import type { Newcomer } from '../peers/peer-link.ts'
import type { FetchRequest, PieceLedger, WholeTorrent } from '../port.ts'
import { tendPeers } from '../peers/torrent-peers.ts'
import { TorrentPieces } from '../reading/torrent-pieces.ts'

export interface OpeningOptions {
  engine: Engine
  allowance: Allowance
  ledger: PieceLedger
  logger: Logger
  connected: (wire: Wire) => void
  /** The engine gave a torrent up. */
  failed: (torrent: ActiveTorrent) => void
}

/** Makes torrents of the engine: with files of this node, peers within limits, and nothing that announces. */
export class Opening {
  readonly #options: OpeningOptions

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** One that answers peers. @throws BadMetainfoError, InvalidInputError when its metainfo on disk is not what it was */
  async whole(whole: WholeTorrent): Promise<ActiveTorrent> {
    const held = new HeldTorrent(whole)
    const files = {
      filePath: (index: number) => whole.files[index]?.path ?? '',
      sizes: whole.files.map(({ size }) => size),
      unwritable: (error: Error) => {
        active.pieces?.unwritable(error)
        this.#options.ledger.unwritable(whole.infoHash, error)
      },
    }
    const active: ActiveTorrent = this.#tend(
      whole.infoHash,
      this.#options.engine.seed(
        held,
        this.#stored(files, (store) => (active.store = store)),
      ),
      held,
      whole.bad,
    )
    await ready(active.torrent)
    return active
  }

  /** One that has nothing yet; without metainfo, which must have been checked, peers are asked for it. */
  fetch(request: Pick<FetchRequest, 'infoHash' | 'metainfo' | 'filePath' | 'picks'>): ActiveTorrent {
    const { infoHash, metainfo } = request
    const files = { filePath: (index: number) => request.filePath(index) }
    const stored = this.#stored(files, (store) => (active.store = store))
    const options = { ...stored, deselect: request.picks !== undefined }
    const active: ActiveTorrent = this.#tend(infoHash, this.#options.engine.fetch(infoHash, metainfo, options))
    return active
  }

  #stored(
    files: Pick<FileStoreOptions, 'filePath' | 'sizes' | 'unwritable'>,
    opened: (store: FileStore) => void,
  ): TorrentOptions<FileStoreOptions> {
    const { openFiles } = this.#options.allowance
    return {
      announce: [],
      strategy: 'sequential',
      store: FileStore,
      storeCacheSlots: 0,
      storeOpts: { own: { ...files, openFiles, opened, now: Date.now } },
    }
  }

  #tend(infoHash: string, torrent: Torrent, held?: HeldTorrent, bad: readonly number[] = []): ActiveTorrent {
    const { engine, allowance, connected, failed, logger } = this.#options
    const { rates, slots, now } = allowance
    const active = new ActiveTorrent(infoHash, torrent, held, now())
    const pieces = this.#pieces(active, bad)
    active.pieces = pieces
    torrent.on('warning', (warning: Error) => logger.debug({ infoHash, warning }, 'torrent warning'))
    torrent.on('error', (error: Error) => {
      logger.warn({ infoHash, err: error }, 'a torrent stopped')
      failed(active)
    })
    const admits = (newcomer: Newcomer): boolean => {
      const may = active.admits(newcomer, allowance.limits, now())
      if (!may) slots.refuse()
      return may
    }
    tendPeers(torrent, {
      peerId: engine.peerId,
      admits: () => admits({ origin: undefined, group: 'webrtc' }),
      pieces,
      connected: (wire) => {
        const link = new PeerLink(wire, now)
        if (!admits(link) || !slots.take(link)) return link.close()
        active.join(link, allowance.claims)
        connected(wire)
      },
      upload: (go) => rates.upload.turn(infoHash, go),
      download: (go) => rates.download.turn(infoHash, go),
    })
    return active
  }

  #pieces(active: ActiveTorrent, bad: readonly number[]): TorrentPieces {
    const { infoHash, torrent, held } = active
    const { allowance, ledger, logger } = this.#options
    return new TorrentPieces(torrent, {
      readAhead: allowance.readAhead,
      store: () => active.store,
      hashOf: (piece) => (held === undefined ? (torrent._hashes[piece] ?? '') : hex(held.hashOf(piece))),
      bad,
      found: (piece) => {
        if (held !== undefined) ledger.bad(infoHash, piece)
      },
      failed: (error) => {
        if (held !== undefined) ledger.failed(infoHash, error)
        else logger.warn({ infoHash, err: error }, 'what was fetched could not be read')
      },
      isHere: () => ledger.isHere(),
      now: Date.now,
    })
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** Resolves once peers are answered; rejects when the torrent ends before. */
function ready(torrent: Torrent): Promise<void> {
  return new Promise((resolve, reject) => {
    torrent.once('ready', resolve)
    torrent.once('error', reject)
    torrent.once('close', () => reject(new FetchFailedError(torrent.infoHash, 'it was removed')))
  })
}
