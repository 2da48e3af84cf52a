import type { Logger } from 'pino'
import type Wire from 'bittorrent-protocol'
import type { Torrent } from 'webtorrent'
import type { Egress } from '../../egress/index.ts'
import { patienceMs } from './patience.ts'
import type { Metainfo, Passage } from '../port.ts'
import { WebSeed } from './web-seed.ts'

/** The engine gives a peer up after a few failed connections; holders are tried again as long as they are needed. */
const redialEvery = 5_000

export interface HoldersOptions {
  infoHash: string
  /** `host:port`, checked by the caller. */
  peers: readonly string[]
  /** Web seed base URLs (BEP 19), checked by the caller. */
  webSeeds: readonly string[]
  egress: Egress
  /** How the bytes of one answer of a web seed keep to the download limits. */
  passage: () => Passage
  /** Told of bytes that a web seed sends. */
  received(bytes: number): void
  logger: Logger
}

/** Those who are known to have a torrent: dialled now and every few seconds, and asked over HTTP, until `end`. */
export class Holders {
  readonly #torrent: Torrent
  readonly #options: HoldersOptions
  readonly #redial: NodeJS.Timeout
  #joining: NodeJS.Timeout | undefined
  /** Peers by the addresses that they resolve to. */
  readonly #byAddress = new Map<string, string>()

  constructor(torrent: Torrent, options: HoldersOptions) {
    this.#torrent = torrent
    this.#options = options
    this.#redial = setInterval(() => this.dial(), redialEvery)
  }

  dial(): void {
    const { peers, egress, logger } = this.#options
    for (const peer of peers) {
      const cut = peer.lastIndexOf(':')
      const [host, port] = [peer.slice(0, cut), peer.slice(cut + 1)]
      egress.resolve(host).then(
        ([address]) => {
          if (address === undefined || this.#torrent.destroyed) return
          this.#byAddress.set(`${address}:${port}`, peer)
          this.#torrent.addPeer(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)
        },
        (error: unknown) => logger.debug({ peer, err: error }, 'a holder cannot be dialled'),
      )
    }
  }

  /**
   * Has web seeds asked, too: at once where there are no peers, and otherwise when these do not have it all within 2 s,
   * because bytes over HTTP cost the processor half as much again.
   */
  addWebSeeds(metainfo: Metainfo): void {
    const wait = this.#options.peers.length === 0 ? 0 : patienceMs
    if (wait === 0) this.#addWebSeeds(metainfo)
    else this.#joining = setTimeout(() => this.#addWebSeeds(metainfo), wait)
  }

  #addWebSeeds(metainfo: Metainfo): void {
    if (this.#torrent.destroyed) return
    const { infoHash, webSeeds, egress, passage, received, logger } = this.#options
    for (const url of webSeeds) {
      const isAlone = (): boolean =>
        !this.#torrent.wires.some((wire) => !wire.peerChoking && wire !== this.#wireOf(url))
      const failed = (error: unknown): void => logger.debug({ infoHash, url, err: error }, 'a web seed failed')
      this.#torrent.addWebSeed(new WebSeed({ url, infoHash, metainfo, egress, passage, received, failed, isAlone }))
    }
  }

  /** The peer or web seed, as it was given, at the other end of a connection; `undefined` for one that came by itself. */
  sourceOf(wire: Wire): string | undefined {
    if (wire.type === 'webSeed') return this.#options.webSeeds.find((url) => this.#wireOf(url) === wire)
    return this.#byAddress.get(`${wire.remoteAddress}:${wire.remotePort}`)
  }

  #wireOf(webSeed: string): Wire | null | undefined {
    return this.#torrent._peers?.get(webSeed)?.wire
  }

  end(): void {
    clearInterval(this.#redial)
    clearTimeout(this.#joining)
    if (this.#torrent.destroyed) return
    for (const url of this.#options.webSeeds) this.#torrent.removePeer(url)
  }
}
