import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { answerSchema, offerSchema } from '../webrtc/sdp.ts'
import type { PendingOffer } from '../webrtc/connections.ts'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import type { Announce, AnnounceAnswer, Announcing, TrackerConnection } from './port.ts'

/** 20 bytes, one per character, as WebTorrent trackers write hashes and ids in JSON. */
const binary = z
  .string()
  .length(20)
  .refine((value) => Buffer.from(value, 'latin1').toString('latin1') === value, 'must be bytes')

const messageSchema = z.object({
  action: z.literal('announce'),
  info_hash: binary,
  peer_id: binary.optional(),
  offer_id: z.string().max(64).optional(),
  offer: offerSchema.optional(),
  answer: answerSchema.optional(),
  interval: z.number().positive().max(86_400).optional(),
  'failure reason': z.string().optional(),
})

export interface OfferExchange {
  /** Offers to go with an announce: none for a torrent that is held whole, unless a peer was lost. */
  offers(infoHash: string): Promise<PendingOffer[]>
  /** A peer's offer; resolves with this node's answer, or null when the torrent is not here. */
  answer(infoHash: string, peerId: string, sdp: string): Promise<string | null>
}

const [answerTimeout, pingEvery, offerLife] = [15_000, 30_000, 50_000]

interface Waiting {
  resolve: (answer: AnnounceAnswer) => void
  reject: (error: Error) => void
  timer: NodeJS.Timeout
}

/** Announces to a WebTorrent tracker, and passes WebRTC offers and answers, over one socket for all torrents. */
export class WebSocketTracker implements TrackerConnection {
  readonly #url: string
  readonly #node: Announcing
  readonly #exchange: OfferExchange
  readonly #reset: () => void
  readonly #waiting = new Map<string, Waiting>()
  readonly #offers = new Map<string, PendingOffer>()
  #opening: Promise<WebSocket> | null = null
  #closed = false

  /** `reset` is called when the connection broke: everything must be announced anew. */
  constructor(url: string, node: Announcing, exchange: OfferExchange, reset: () => void) {
    this.#url = url
    this.#node = node
    this.#exchange = exchange
    this.#reset = reset
  }

  async announce({ infoHash, event, uploaded, downloaded, left }: Announce): Promise<AnnounceAnswer> {
    const socket = await (this.#opening ??= this.#open())
    const wantsPeers = event === 'started' || event === 'update'
    const offers = wantsPeers ? await this.#exchange.offers(infoHash) : []
    const message = {
      action: 'announce',
      info_hash: fromHex(infoHash),
      peer_id: fromHex(this.#node.peerId),
      uploaded,
      downloaded,
      left,
      ...(event !== 'update' && { event }),
      // Offers collide with those that a browser makes; who has everything leaves them to those who want something.
      numwant: offers.length,
      offers: offers.map((offer) => ({ offer_id: this.#keep(offer), offer: { type: 'offer', sdp: offer.sdp } })),
    }
    // Nobody answers a farewell.
    if (event === 'stopped') {
      socket.send(JSON.stringify(message))
      return { interval: 0, peers: [] }
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(infoHash)
        reject(new TrackerFailedError(this.#url, 'it was silent'))
      }, answerTimeout)
      this.#waiting.set(infoHash, { resolve, reject, timer })
      socket.send(JSON.stringify(message))
    })
  }

  close(): void {
    this.#closed = true
    this.#opening?.then(
      (socket) => socket.close(),
      () => {},
    )
    this.#drop(new TrackerFailedError(this.#url, 'this node is closing'))
  }

  #keep(offer: PendingOffer): string {
    const id = randomBytes(20).toString('latin1')
    this.#offers.set(id, offer)
    setTimeout(() => this.#offers.delete(id), offerLife).unref()
    return id
  }

  #open(): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.#url, {
        maxPayload: 256 * 1024,
        perMessageDeflate: false,
        handshakeTimeout: 10_000,
      })
      let alive = true
      const pinging = setInterval(() => {
        if (!alive) return socket.terminate()
        alive = false
        if (socket.readyState === WebSocket.OPEN) socket.ping()
      }, pingEvery)
      pinging.unref()
      socket.on('open', () => resolve(socket))
      socket.on('message', (data) => {
        alive = true
        this.#hear(socket, data as Buffer)
      })
      socket.on('pong', () => (alive = true))
      socket.on('error', (error) => reject(new TrackerFailedError(this.#url, error.message, { cause: error })))
      socket.on('close', () => {
        clearInterval(pinging)
        const error = new TrackerFailedError(this.#url, 'the connection ended')
        reject(error)
        this.#drop(error)
        if (!this.#closed) this.#reset()
      })
    })
  }

  #drop(error: Error): void {
    this.#opening = null
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#waiting.clear()
    this.#offers.clear()
  }

  #hear(socket: WebSocket, data: Buffer): void {
    const message = messageSchema.safeParse(parsed(data)).data
    if (message === undefined) return
    const infoHash = toHex(message.info_hash)
    const peerId = message.peer_id === undefined ? undefined : toHex(message.peer_id)
    if (peerId !== undefined && peerId !== this.#node.peerId) {
      if (message.offer !== undefined) void this.#answer(socket, message, infoHash, peerId, message.offer.sdp)
      if (message.answer !== undefined && message.offer_id !== undefined) {
        this.#offers.get(message.offer_id)?.accept(message.answer.sdp, peerId)
        this.#offers.delete(message.offer_id)
      }
    }
    const waiting = this.#waiting.get(infoHash)
    if (waiting === undefined || message.offer !== undefined || message.answer !== undefined) return
    this.#waiting.delete(infoHash)
    clearTimeout(waiting.timer)
    const refused = message['failure reason']
    if (refused !== undefined) waiting.reject(new TrackerRefusedError(this.#url, refused))
    else waiting.resolve({ interval: (message.interval ?? 120) * 1000, peers: [] })
  }

  async #answer(
    socket: WebSocket,
    message: z.infer<typeof messageSchema>,
    infoHash: string,
    peerId: string,
    sdp: string,
  ): Promise<void> {
    const answer = await this.#exchange.answer(infoHash, peerId, sdp).catch(() => null)
    if (answer === null || socket.readyState !== WebSocket.OPEN) return
    socket.send(
      JSON.stringify({
        action: 'announce',
        info_hash: message.info_hash,
        peer_id: fromHex(this.#node.peerId),
        to_peer_id: message.peer_id,
        offer_id: message.offer_id,
        answer: { type: 'answer', sdp: answer },
      }),
    )
  }
}

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
}

function fromHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}

function toHex(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('hex')
}
