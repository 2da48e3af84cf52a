import type Wire from 'bittorrent-protocol'
import type { Logger } from 'pino'
import type { Torrent, TorrentOptions } from 'webtorrent'
import { ActiveTorrent } from './active-torrent.ts'
import type { Engine } from './engine.ts'
import { FetchFailedError } from './errors.ts'
import { FileStore } from './file-store.ts'
import type { FileStoreOptions } from './file-store.ts'
import type { OpenFiles } from './open-files.ts'
import type { WholeTorrent } from './port.ts'
import type { ReadAhead } from './read-ahead.ts'
import { tendPeers } from './torrent-peers.ts'

export interface OpeningOptions {
  engine: Engine
  openFiles: OpenFiles
  readAhead: ReadAhead
  /** Most connections of a torrent. */
  maxConns: () => number
  connected: (wire: Wire) => void
  /** The engine gave a torrent up. */
  failed: (torrent: ActiveTorrent) => void
  now: () => number
  logger: Logger
}

/** The engine looks for peers every so many seconds only to tell nobody. */
const never = 2_000_000

/** Makes torrents of the engine: with files of this node, peers within limits, and nothing that announces. */
export class Opening {
  readonly #options: OpeningOptions

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** One that answers peers. @throws Error when its metainfo is not that of a torrent */
  async whole({ infoHash, metainfo, files }: WholeTorrent): Promise<ActiveTorrent> {
    const active = this.#open(infoHash, metainfo, (index) => files[index]?.path ?? '', false)
    await ready(active.torrent)
    return active
  }

  /** One that has nothing yet; without metainfo peers are asked for it. */
  fetch(infoHash: string, metainfo: Uint8Array | undefined, filePath: (index: number) => string): ActiveTorrent {
    return this.#open(infoHash, metainfo ?? infoHash, filePath, true)
  }

  #open(
    infoHash: string,
    metainfo: string | Uint8Array,
    filePath: (index: number) => string,
    fetching: boolean,
  ): ActiveTorrent {
    const { engine, openFiles, readAhead, maxConns, connected, failed, now, logger } = this.#options
    const options: TorrentOptions<FileStoreOptions> = {
      announce: [],
      skipVerify: !fetching,
      strategy: 'sequential',
      noPeersIntervalTime: never,
      store: FileStore,
      storeCacheSlots: 0,
      storeOpts: { own: { openFiles, filePath, opened: (store) => (active.store = store) } },
    }
    const torrent = engine.open(infoHash, metainfo, options)
    const active: ActiveTorrent = new ActiveTorrent(infoHash, torrent, fetching, now())
    torrent.on('warning', (warning: Error) => logger.debug({ infoHash, warning }, 'torrent warning'))
    torrent.on('error', (error: Error) => {
      logger.warn({ infoHash, err: error }, 'a torrent stopped')
      failed(active)
    })
    tendPeers(torrent, {
      peerId: engine.peerId,
      maxConns,
      readAhead,
      store: () => active.store,
      connected: (wire) => {
        wire.on('upload', () => (active.tookAt = now()))
        connected(wire)
      },
    })
    return active
  }
}

/** Resolves once peers are answered; rejects when the torrent ends before. */
function ready(torrent: Torrent): Promise<void> {
  return new Promise((resolve, reject) => {
    torrent.once('ready', resolve)
    torrent.once('error', reject)
    torrent.once('close', () => reject(new FetchFailedError(torrent.infoHash, 'it was removed')))
  })
}
