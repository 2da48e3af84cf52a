import type { Logger } from 'pino'
import type { ActiveTorrent } from './awake/active-torrent.ts'
import { isDataOffer } from './webrtc/index.ts'
import type { Channel, Connections, OfferSource, PendingOffer } from './webrtc/index.ts'

export interface SignallingOptions {
  connections: Connections
  /** Connections per torrent. */
  maxConns: () => number
  /** Whether it is seeded or fetched here, asleep or awake. */
  has: (infoHash: string) => boolean
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
    if (active === undefined || connections.full || !(active.isWanting || active.lostPeer)) return []
    active.lostPeer = false
    const made = await Promise.allSettled(
      Array.from({ length: offersAtATime }, () => connections.offer((channel) => void this.#join(infoHash, channel))),
    )
    return made.flatMap((offer) => (offer.status === 'fulfilled' && offer.value !== undefined ? [offer.value] : []))
  }

  /**
   * Answers every offer unless its peer is connected already. The item wakes meanwhile: neither waits for the other. An
   * offer of this node may be out to the same browser at the same time: the browser keeps one of the two and this node
   * keeps whichever opens.
   */
  async answer(infoHash: string, sdp: string, from: OfferSource): Promise<string | null> {
    const { connections, maxConns, has, find, wake } = this.#options
    const awake = find(infoHash)?.torrent
    if (awake?._peers?.has(from.peerId) === true) return null
    const answering =
      has(infoHash) && isDataOffer(sdp) && (awake?._numConns ?? 0) < maxConns()
        ? connections.answer(sdp, from, (channel) => void this.#join(infoHash, channel))
        : undefined
    if (answering === undefined) {
      connections.countDropped()
      return null
    }
    void wake(infoHash).then((active) => active ?? answering.close())
    try {
      return await answering.sdp
    } catch {
      connections.countDropped()
      return null
    }
  }

  async #join(infoHash: string, channel: Channel): Promise<void> {
    const active = await this.#options.wake(infoHash)
    if (active === undefined || active.torrent.destroyed || channel.destroyed) {
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
