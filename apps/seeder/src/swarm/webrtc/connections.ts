import { isIP } from 'node:net'
import { PeerConnection, setSctpSettings } from 'node-datachannel'
import type { DataChannel } from 'node-datachannel'
import type { Egress } from '../../egress/index.ts'
import { Channel } from './channel.ts'
import { described } from './description.ts'
import { limitsFor, ownMachine, type PathLimits } from './path-limits.ts'
import { Places } from './places.ts'
import type { Guest } from './places.ts'
import { withAllowedCandidates } from './sdp.ts'
import { ServerChoice } from './server-choice.ts'
import type { Choice } from './server-choice.ts'

export interface ConnectionsOptions {
  egress: Egress
  /** Address to bind UDP sockets to; every one when absent, unspecified or a name. */
  host?: string
  /** STUN and TURN servers, as `iceServer` reads them. */
  iceServers: readonly string[]
  /** Connections open or being made, of all items together. */
  maxConnections: number
  /** Connections being made. */
  maxNegotiating: number
  /** Milliseconds an answered offer may take to connect. */
  answerTimeout?: number
  /** Milliseconds an offer of this node waits for an answer and a connection. */
  offerTimeout?: number
  /** Milliseconds, never backwards. */
  now: () => number
}

// What is under way fits the send buffer: the library takes the larger one of this and a connection's `maxMessageSize`.
setSctpSettings({ sendBufferSize: ownMachine.flight })

const unspecified = new Set(['0.0.0.0', '::'])

/** An offer of this node, out with a tracker. */
export interface PendingOffer {
  sdp: string
  /** Takes the answer of the peer whose id in hex is `peerId`; an offer is answered once. */
  accept(sdp: string, peerId: string): void
  close(): void
}

/** A peer's offer that is being answered. */
export interface Answering {
  /** This node's description. @throws Error when the peer's is malformed, or after `close` */
  sdp: Promise<string>
  close(): void
}

export interface OfferSource {
  /** In hex. */
  peerId: string
  /** The tracker that passed it on. */
  tracker: string
}

type Opened = (channel: Channel) => void

/** A connection that is open or being made. */
interface Making {
  readonly guest: Guest
  readonly connection: PeerConnection
  readonly servers: Choice
  /** Ends it when it is not made in time. */
  readonly timer: NodeJS.Timeout
  readonly ended: AbortController
}

/**
 * Makes WebRTC connections on libdatachannel. Descriptions carry all candidates, as trackers pass on one message each
 * way.
 */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #servers: ServerChoice
  readonly #making = new Set<Making>()
  readonly #places: Places
  #dropped = 0

  /** @throws InvalidInputError when an ICE server is none */
  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.#servers = new ServerChoice(options.iceServers, options.now)
    this.#places = new Places(options)
  }

  get size(): number {
    return this.#places.size
  }

  get open(): number {
    return this.#places.open
  }

  /** Answered offers, of either side, that are no connection yet. */
  get negotiating(): number {
    return this.#places.negotiating
  }

  /** Offers of peers that were not answered: malformed, of unknown items, or more than there are places for. */
  get dropped(): number {
    return this.#dropped
  }

  get full(): boolean {
    return this.#places.full
  }

  countDropped(): void {
    this.#dropped++
  }

  /** Applies at once: what is more is closed, see `Places`. */
  limit(limits: { maxConnections: number; maxNegotiating: number }): void {
    this.#places.limit(limits)
  }

  /**
   * Answers a peer's offer that came by a tracker. @returns undefined when there is no place for it
   * @throws Error when the library cannot make a connection
   */
  answer(sdp: string, { peerId, tracker }: OfferSource, opened: Opened): Answering | undefined {
    const take = (guest: Guest): boolean => this.#places.take(guest, tracker)
    const making = this.#make(this.#options.answerTimeout ?? 15_000, take, limitsFor(sdp))
    if (making === undefined) return undefined
    const { connection } = making
    let taken = false
    connection.onDataChannel((channel) => {
      if (taken) return channel.close()
      taken = true
      this.#whenOpen(making, channel, () => peerId, opened)
    })
    const answer = this.#describe(making, () => {
      connection.setRemoteDescription(withAllowedCandidates(sdp, this.#options.egress), 'offer')
    })
    answer.catch(() => this.#end(making))
    return { sdp: answer, close: () => this.#end(making) }
  }

  /** @returns undefined when there is no place for a connection */
  async offer(opened: Opened): Promise<PendingOffer | undefined> {
    const making = this.#make(this.#options.offerTimeout ?? 50_000, (guest) => this.#places.offer(guest), limitsFor())
    if (making === undefined) return undefined
    const { connection } = making
    let remote = ''
    try {
      const sdp = await this.#describe(making, () => {
        this.#whenOpen(making, connection.createDataChannel('webtorrent'), () => remote, opened)
      })
      return {
        sdp,
        accept: (answer, peerId) => {
          if (remote !== '') return
          remote = peerId
          try {
            connection.setRemoteDescription(withAllowedCandidates(answer, this.#options.egress), 'answer')
          } catch {
            this.#end(making)
          }
        },
        close: () => this.#end(making),
      }
    } catch (error) {
      this.#end(making)
      throw error
    }
  }

  close(): void {
    for (const making of this.#making) this.#end(making)
  }

  #make(timeout: number, take: (guest: Guest) => boolean, { mtu, flight }: PathLimits): Making | undefined {
    const guest: { evicted(): void } = { evicted: () => {} }
    if (!take(guest)) return undefined
    const { host } = this.#options
    const servers = this.#servers.choose()
    let connection: PeerConnection
    try {
      connection = new PeerConnection('eldernode', {
        iceServers: servers.servers,
        maxMessageSize: flight,
        ...(mtu !== undefined && { mtu }),
        ...(host !== undefined && isIP(host) !== 0 && !unspecified.has(host) && { bindAddress: host }),
      })
    } catch (error) {
      this.#places.leave(guest)
      throw error
    }
    const timer = setTimeout(() => this.#end(making), timeout)
    timer.unref()
    const making: Making = { guest, connection, servers, timer, ended: new AbortController() }
    guest.evicted = () => this.#end(making)
    this.#making.add(making)
    connection.onStateChange((state) => {
      if (state === 'closed' || state === 'failed') this.#end(making)
    })
    return making
  }

  async #describe({ connection, servers, ended }: Making, begin: () => void): Promise<string> {
    const { patience, told } = servers
    const { sdp, complete } = await described(connection, { patience, signal: ended.signal }, begin)
    told(sdp, complete)
    return sdp
  }

  #whenOpen(making: Making, channel: DataChannel, peerId: () => string, opened: Opened): void {
    let done = false
    const open = (): void => {
      if (done || !this.#making.has(making)) return
      done = true
      // Not sooner: a peer that connects and opens no channel would keep its place for good.
      clearTimeout(making.timer)
      this.#places.settle(making.guest)
      const stream = new Channel(peerId(), channel, making.connection)
      stream.once('close', () => this.#end(making))
      stream.on('error', () => {})
      opened(stream)
    }
    channel.onOpen(open)
    if (channel.isOpen()) open()
  }

  #end(making: Making): void {
    clearTimeout(making.timer)
    this.#places.leave(making.guest)
    if (!this.#making.delete(making)) return
    making.ended.abort()
    try {
      making.connection.close()
    } catch {
      // Closed by the library already.
    }
  }
}
