import type { Logger } from 'pino'
import type { ActiveTorrent } from './active-torrent.ts'
import type { Channel, Connections, PendingOffer } from './webrtc/index.ts'

export interface SignallingOptions {
  connections: Connections
  /** Connections per torrent. */
  maxConns: () => number
  find: (infoHash: string) => ActiveTorrent | undefined
  wake: (infoHash: string) => Promise<ActiveTorrent | undefined>
  /** Announces to the trackers that pass offers on, without waiting for the interval. */
  announceSoon: (infoHash: string) => void
  logger: Logger
}

/** Offers for each tracker while fetching: a browser, which listens nowhere, may be the only source. */
const offersAtATime = 5

/** Milliseconds after a stall: the first offer comes too early for a peer that has not noticed yet. */
const reconnectAfter = [0, 15_000, 40_000]

/** Which WebRTC offers are made and answered, and what becomes of a connection that opened. */
export class Signalling {
  readonly #options: SignallingOptions

  constructor(options: SignallingOptions) {
    this.#options = options
  }

  /**
   * For what is held whole none are made: they would collide with those of browsers, whose engine then drops both.
   * A connection that stalled is the exception, for a browser makes offers every few minutes only.
   */
  async offers(infoHash: string): Promise<PendingOffer[]> {
    const active = this.#options.find(infoHash)
    const { connections } = this.#options
    if (active === undefined || connections.full || !(active.fetching || active.lostPeer)) return []
    active.lostPeer = false
    const made = await Promise.allSettled(
      Array.from({ length: offersAtATime }, () => connections.offer((channel) => this.#join(infoHash, channel))),
    )
    return made.flatMap((offer) => (offer.status === 'fulfilled' ? [offer.value] : []))
  }

  /**
   * Answers every offer unless its peer is connected already. An offer of this node may be out to the same browser at
   * the same time: the browser keeps one of the two and this node keeps whichever opens.
   */
  async answer(infoHash: string, peerId: string, sdp: string): Promise<string | null> {
    const { connections, maxConns } = this.#options
    const torrent = (await this.#options.wake(infoHash))?.torrent
    if (torrent === undefined || torrent.destroyed || connections.full) return null
    if (torrent._peers?.has(peerId) === true || torrent._numConns >= maxConns()) return null
    return connections.answer(sdp, peerId, (channel) => this.#join(infoHash, channel))
  }

  #join(infoHash: string, channel: Channel): void {
    const active = this.#options.find(infoHash)
    if (active === undefined || active.torrent.destroyed) {
      channel.destroy()
      return
    }
    active.torrent.addPeer(channel)
    channel.once('close', () => {
      if (!channel.stalled) return
      this.#options.logger.info({ infoHash, peer: channel.id }, 'a WebRTC connection stalled and is made anew')
      for (const delay of reconnectAfter) setTimeout(() => this.#reconnect(infoHash, active, channel.id), delay).unref()
    })
  }

  #reconnect(infoHash: string, active: ActiveTorrent, peerId: string): void {
    if (this.#options.find(infoHash) !== active || active.torrent._peers?.has(peerId) === true) return
    active.lostPeer = true
    this.#options.announceSoon(infoHash)
  }
}
