import { createHash } from 'node:crypto'
import WebTorrent from 'webtorrent'
import type { ClientOptions, Torrent, TorrentOptions } from 'webtorrent'
import { guardWires } from './wire-guard.ts'

guardWires()

/** Finds the torrent that an incoming connection asks for; it may have to be woken first. */
export interface Lookup {
  byInfoHash(infoHash: string): Promise<Torrent | undefined>
  /** By SHA-1 of `req2` and the infohash, as encrypted handshakes name a torrent (MSE). */
  byObfuscated(hash: string): Promise<Torrent | undefined>
}

export function obfuscated(infoHash: string): string {
  return createHash('sha1').update('req2').update(infoHash, 'hex').digest('hex')
}

/** WebTorrent with nothing that looks for peers by itself, and with torrents found in one step. */
export class Engine extends WebTorrent {
  readonly #lookup: Lookup

  constructor(options: Pick<ClientOptions, 'torrentPort' | 'maxConns'>, lookup: Lookup) {
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
    this.#lookup = lookup
  }

  /** Adds a torrent whose infohash is known. */
  open<T>(infoHash: string, torrent: string | Uint8Array, options: TorrentOptions<T>): Torrent {
    const added = this.add(torrent, options)
    added.infoHashHash = obfuscated(infoHash)
    return added
  }

  override async get(infoHash: string): Promise<Torrent | null> {
    return (await this.#lookup.byInfoHash(infoHash)) ?? null
  }

  override async _getByHash(infoHashHash: string): Promise<Torrent | null> {
    return (await this.#lookup.byObfuscated(infoHashHash)) ?? null
  }
}
