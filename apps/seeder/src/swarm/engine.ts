import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type Wire from 'bittorrent-protocol'
import WebTorrent from 'webtorrent'
import type { ClientOptions, Torrent, TorrentOptions } from 'webtorrent'
import { SwarmStartError } from './errors.ts'
import type { HeldTorrent } from './awake/held-torrent.ts'
import { shareKeyGroup } from './peers/key-exchange.ts'
import { guardWires } from './peers/wire-guard.ts'

guardWires()
shareKeyGroup()

export function obfuscated(infoHash: string): string {
  return createHash('sha1').update('req2').update(infoHash, 'hex').digest('hex')
}

/** The engine's own search for peers, of which nothing is wanted but an end. */
const noDiscovery = { complete: () => {}, destroy: (done: () => void) => done() }

/** The engine counts who has which piece for an order of pieces that is not used, in O(pieces) for each message. */
const noRarity = { destroy: () => {} }

/** WebTorrent with nothing that looks for peers by itself, and whose incoming connections a `Door` takes. */
export class Engine extends WebTorrent {
  constructor(options: Pick<ClientOptions, 'torrentPort' | 'maxConns'>) {
    super({
      ...options,
      dht: false,
      lsd: false,
      tracker: false,
      natUpnp: false,
      natPmp: false,
      utp: false,
      webSeeds: false,
      utPex: true,
      // Who lacks pieces comes by itself.
      seedOutgoingConnections: false,
    })
  }

  /** Resolves when peers can connect. @throws SwarmStartError */
  async listens(port: number): Promise<void> {
    try {
      await once(this, 'listening')
    } catch (error) {
      throw new SwarmStartError(port, { cause: error })
    }
  }

  /** Adds a torrent of which nothing is held; without metainfo, which must have been checked, peers are asked for it. */
  fetch<T>(infoHash: string, metainfo: Uint8Array | undefined, options: TorrentOptions<T>): Torrent {
    return this.#add(infoHash, metainfo ?? infoHash, options)
  }

  /** Adds a torrent of which everything is held. It answers peers once it is `ready`, a few microtasks later. */
  seed<T>(held: HeldTorrent, options: TorrentOptions<T>): Torrent {
    const { infoHash, size, pieceLength, pieces, info } = held
    const torrent = this.#add(
      infoHash,
      {
        infoHash,
        name: infoHash,
        announce: [],
        urlList: [],
        private: held.private,
        // Which bytes lie in which file is the store's business.
        files: [{ path: infoHash, name: infoHash, length: size, offset: 0 }],
        length: size,
        pieceLength,
        lastPieceLength: size % pieceLength || pieceLength,
        // The hashes, of which none is needed before a piece is lost.
        pieces: Array.from<string>({ length: pieces }),
        info: {},
        // Anything but bytes, which the engine would decode and encode again for each peer that connects.
        torrentFile: { info },
      },
      { ...options, skipVerify: true },
    )
    torrent._processParsedTorrent = (parsed) => {
      if (parsed !== torrent) Object.assign(torrent, parsed)
    }
    torrent.on('wire', (wire: Wire) => {
      const extension = wire.ut_metadata
      if (extension === undefined) return
      Object.assign(extension, { metadata: info, _metadataComplete: true, _metadataSize: info.length })
      wire.extendedHandshake['metadata_size'] = info.length
    })
    return torrent
  }

  #add<T>(infoHash: string, torrent: string | Uint8Array | object, options: TorrentOptions<T>): Torrent {
    const added = this.add(torrent, options)
    added.infoHashHash = obfuscated(infoHash)
    added.discovery = noDiscovery
    added.once('metadata', () => {
      added._rarityMap?.destroy()
      added._rarityMap = noRarity
    })
    return added
  }
}
