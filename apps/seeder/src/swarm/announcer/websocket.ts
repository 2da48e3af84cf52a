import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { Egress } from '../../egress/index.ts'
import type { OfferSource, PendingOffer } from '../webrtc/index.ts'
import { Deadlines } from './deadlines.ts'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { retryIn } from './intervals.ts'
import type { Announce, AnnounceAnswer, Announcing, TrackerConnection } from './port.ts'
import { toHex, toLatin1, trackerMessage } from './websocket-messages.ts'
import type { TrackerMessage } from './websocket-messages.ts'

export interface OfferExchange {
  /** Offers to go with an announce: none for a torrent that is held whole, unless a peer was lost. */
  offers(infoHash: string): Promise<PendingOffer[]>
  /** A peer's offer; resolves with this node's answer, or null when the torrent is not here. */
  answer(infoHash: string, sdp: string, from: OfferSource): Promise<string | null>
}

const [answerTimeout, pingEvery, offerLife, goodbyeTime] = [15_000, 30_000, 50_000, 1_000]

/** Milliseconds between announces to a tracker that does not say: WebTorrent trackers forget within minutes. */
const usualWebSocketInterval = 2 * 60_000

/** A tracker that takes in nothing may not make this node pile up answers to the offers it sends. */
const maxUnsent = 4 * 1024 * 1024

interface Waiting {
  readonly infoHash: string
  resolve: (answer: AnnounceAnswer) => void
  reject: (error: Error) => void
}

export interface WebSocketTrackerOptions {
  url: string
  node: Announcing
  exchange: OfferExchange
  /** The connection broke: everything must be announced anew. */
  lost(error: Error): void
  /** The tracker has something to say to the operator. */
  said(text: string): void
  now: () => number
  /** Judges where it leads; absent for a tracker that the operator named. */
  egress?: Egress | undefined
}

/** Announces to a WebTorrent tracker, and passes WebRTC offers and answers, over one socket for all torrents. */
export class WebSocketTracker implements TrackerConnection {
  readonly #options: WebSocketTrackerOptions
  readonly #peerId: string
  readonly #waiting: Deadlines<Waiting>
  readonly #offers: Deadlines<{ id: string; offer: PendingOffer }>
  #socket: WebSocket | undefined
  /** What the socket writes to. */
  #stream: Socket | undefined
  #gathering = false
  #opening: Promise<WebSocket> | null = null
  #trackerId: string | undefined
  #closed = false

  constructor(options: WebSocketTrackerOptions) {
    this.#options = options
    this.#peerId = toLatin1(options.node.peerId)
    this.#waiting = new Deadlines(answerTimeout, options.now, ({ reject }) => reject(this.#error('it was silent')))
    this.#offers = new Deadlines(offerLife, options.now, () => {})
  }

  async announce({ infoHash, event, uploaded, downloaded, left }: Announce): Promise<AnnounceAnswer> {
    const socket = await (this.#opening ??= this.#open())
    const wantsPeers = event === 'started' || event === 'update'
    const offers = wantsPeers ? await this.#options.exchange.offers(infoHash) : []
    if (socket.readyState !== WebSocket.OPEN) throw this.#error('the connection ended')
    const message = JSON.stringify({
      action: 'announce',
      info_hash: toLatin1(infoHash),
      peer_id: this.#peerId,
      uploaded,
      downloaded,
      left,
      ...(event !== 'update' && { event }),
      // Offers collide with those that a browser makes; who has everything leaves them to those who want something.
      numwant: offers.length,
      offers: offers.map((offer) => ({ offer_id: this.#keep(offer), offer: { type: 'offer', sdp: offer.sdp } })),
      trackerid: this.#trackerId,
    })
    // Nobody answers a farewell.
    this.#gather()
    if (event === 'stopped') {
      socket.send(message)
      return { interval: undefined, peers: [] }
    }
    return new Promise((resolve, reject) => {
      this.#waiting.begin({ infoHash, resolve, reject })
      socket.send(message)
    })
  }

  close(): void {
    this.#closed = true
    const socket = this.#socket
    if (socket?.readyState === WebSocket.OPEN) socket.close()
    else socket?.terminate()
    // Who does not say goodbye in time is left.
    setTimeout(() => socket?.terminate(), goodbyeTime).unref()
    this.#drop(this.#error('this node is closing'))
  }

  /** What is sent until this turn of the event loop ends is written in one piece: a call for each is half of the work. */
  #gather(): void {
    const stream = this.#stream
    if (this.#gathering || stream === undefined) return
    this.#gathering = true
    stream.cork()
    process.nextTick(() => {
      this.#gathering = false
      stream.uncork()
    })
  }

  #keep(offer: PendingOffer): string {
    const id = randomBytes(20).toString('latin1')
    this.#offers.begin({ id, offer })
    return id
  }

  #open(): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#error('this node is closing')
      const { url, egress } = this.#options
      egress?.assertAllowed(new URL(url).hostname)
      const socket = new WebSocket(url, {
        ...(egress && { lookup: egress.lookup }),
        maxPayload: 256 * 1024,
        perMessageDeflate: false,
        handshakeTimeout: 10_000,
      })
      this.#socket = socket
      let [alive, opened] = [true, false]
      const pinging = setInterval(() => {
        if (!alive) return socket.terminate()
        alive = false
        if (socket.readyState === WebSocket.OPEN) socket.ping()
      }, pingEvery)
      pinging.unref()
      socket.on('upgrade', (response) => (this.#stream = response.socket))
      socket.on('open', () => {
        opened = true
        resolve(socket)
      })
      socket.on('message', (data) => {
        alive = true
        this.#hear(socket, data as Buffer)
      })
      socket.on('pong', () => (alive = true))
      socket.on('error', (error) => reject(this.#error(error.message, error)))
      socket.on('close', () => {
        clearInterval(pinging)
        const error = this.#error('the connection ended')
        reject(error)
        this.#drop(error)
        if (opened && !this.#closed) this.#options.lost(error)
      })
    })
  }

  #drop(error: Error): void {
    this.#opening = null
    for (const { reject } of this.#waiting.clear()) reject(error)
    for (const { offer } of this.#offers.clear()) offer.close()
  }

  #hear(socket: WebSocket, data: Buffer): void {
    const message = trackerMessage(data)
    if (message === undefined) return
    const refused = message['failure reason']
    if (message.info_hash === undefined) {
      if (refused !== undefined) this.#options.said(refused)
      return
    }
    const infoHash = toHex(message.info_hash)
    if (message.peer_id !== undefined && message.peer_id !== this.#peerId) {
      if (message.offer !== undefined) void this.#answer(socket, message, infoHash, message.peer_id, message.offer.sdp)
      if (message.answer !== undefined && message.offer_id !== undefined) {
        const made = this.#offers.end(({ id }) => id === message.offer_id)
        made?.offer.accept(message.answer.sdp, toHex(message.peer_id))
      }
    }
    if (message.offer !== undefined || message.answer !== undefined) return
    const waiting = this.#waiting.end((known) => known.infoHash === infoHash)
    if (waiting === undefined) return
    this.#trackerId = message['tracker id'] ?? this.#trackerId
    if (refused !== undefined)
      return waiting.reject(new TrackerRefusedError(this.#options.url, refused, retryIn(message['retry in'])))
    waiting.resolve({
      interval: seconds(message.interval) ?? usualWebSocketInterval,
      minInterval: seconds(message['min interval']),
      warning: message['warning message'] ?? message['warning reason'],
      peers: [],
    })
  }

  async #answer(
    socket: WebSocket,
    message: TrackerMessage,
    infoHash: string,
    peerId: string,
    sdp: string,
  ): Promise<void> {
    const from = { peerId: toHex(peerId), tracker: this.#options.url }
    const answer = await this.#options.exchange.answer(infoHash, sdp, from).catch(() => null)
    if (answer === null || socket.readyState !== WebSocket.OPEN) return
    if (socket.bufferedAmount > maxUnsent) return socket.terminate()
    socket.send(
      JSON.stringify({
        action: 'announce',
        info_hash: message.info_hash,
        peer_id: this.#peerId,
        to_peer_id: peerId,
        offer_id: message.offer_id,
        trackerid: this.#trackerId,
        answer: { type: 'answer', sdp: answer },
      }),
    )
  }

  #error(reason: string, cause?: Error): TrackerFailedError {
    return new TrackerFailedError(this.#options.url, reason, cause && { cause })
  }
}

function seconds(sent: number | undefined): number | undefined {
  return sent === undefined ? undefined : sent * 1000
}
