import { createHash } from 'node:crypto'
import WebTorrent from 'webtorrent'
import type { ClientOptions, Torrent, TorrentOptions } from 'webtorrent'
import { guardWires } from './wire-guard.ts'

guardWires()

/** WebTorrent with nothing that looks for peers by itself, and with torrents found in one step. */
export class Engine extends WebTorrent {
  readonly #torrents = new Map<string, Torrent>()
  /** Keyed by SHA-1 of `req2` and the infohash, as encrypted handshakes name a torrent (MSE). */
  readonly #obfuscated = new Map<string, Torrent>()

  constructor(options: Pick<ClientOptions, 'torrentPort' | 'maxConns' | 'downloadLimit' | 'uploadLimit'>) {
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
    })
  }

  /** Adds a torrent whose infohash is known. */
  open<T>(infoHash: string, torrent: string | Uint8Array, options: TorrentOptions<T>): Torrent {
    const added = this.add(torrent, options)
    const obfuscated = createHash('sha1').update('req2').update(infoHash, 'hex').digest('hex')
    added.infoHashHash = obfuscated
    this.#torrents.set(infoHash, added)
    this.#obfuscated.set(obfuscated, added)
    added.once('close', () => {
      if (this.#torrents.get(infoHash) !== added) return
      this.#torrents.delete(infoHash)
      this.#obfuscated.delete(obfuscated)
    })
    return added
  }

  override async get(infoHash: string): Promise<Torrent | null> {
    return this.#torrents.get(infoHash) ?? null
  }

  override async _getByHash(infoHashHash: string): Promise<Torrent | null> {
    return this.#obfuscated.get(infoHashHash) ?? null
  }
}
