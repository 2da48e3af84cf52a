import { InvalidInputError } from '@eldernode/core'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Announce, Answer, type Counts as SwarmCounts, happened, kinds, type Swarms } from '../swarm/index.ts'
import {
  answerMessage,
  infoHashOf,
  offerMessage,
  parseWebSocket,
  type SocketAnnounce,
  type SocketScrape,
} from '../wire/index.ts'
import type { Family } from './address.ts'
import type { Counts } from './counts.ts'
import { closes } from './frames.ts'
import { handshakeAnswer, handshakeKey } from './handshake.ts'
import type { Manners } from './manners.ts'
import { Pacer } from './pacer.ts'
import { PerAddress } from './per-address.ts'
import { Socket, type SocketOwner } from './socket.ts'

interface WebSocketTransportOptions {
  swarms: Swarms
  counts: Counts
  manners: Manners
  isMember: (kind: Family, address: Int32Array) => boolean
  limits: {
    socketsPerAddress: number
    /** Swarms that one socket may be in: of a member, of anybody else. */
    swarmsPerMember: number
    swarmsPerSocket: number
  }
  /** Seconds. */
  interval: number
  /** From 0 to below 1. */
  random: () => number
}

/** A client that goes on sending garbage is cut off. */
const maxRefusals = 20

/** Clients on one socket: a browser page runs one, rarely some more. */
const maxPeerIds = 16

/** Offers that a client may leave unanswered; older ones are forgotten. */
const maxOpenOffers = 512

/** Seconds. Each socket is asked once in so many whether it is still there. */
const pingSeconds = 40

/** Bytes of messages that have not come whole, of all sockets together. */
const maxWaiting = 64 * 1024 * 1024

/** WebTorrent's signalling: offers and answers between peers. Upgrades come from the HTTP listener. */
export class WebSocketTransport implements SocketOwner {
  readonly #options: WebSocketTransportOptions
  readonly #word = new Announce()
  readonly #answer = new Answer()
  readonly #counts: SwarmCounts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
  // Sockets by the second of the turn in which each is pinged.
  readonly #rounds = Array.from({ length: pingSeconds }, () => new Set<Socket>())
  readonly #perAddress: PerAddress
  // Who speaks for a peer id: peer ids are known to the whole swarm.
  readonly #owners = new Map<string, Socket>()
  readonly #byClient: (Socket | undefined)[] = []
  readonly #pacer = new Pacer()
  readonly #address = new Int32Array(4)
  #pending: Socket[] = []
  #sockets = 0
  #second = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
    this.#perAddress = new PerAddress(options.limits.socketsPerAddress)
    this.#word.kind = kinds.socket
  }

  get sockets(): number {
    return this.#sockets
  }

  start(): void {
    this.#timer = setInterval(() => this.#ping(), 1000)
  }

  /** Says goodbye to every client; those that do not answer are cut off by `terminate`. */
  stop(): void {
    clearInterval(this.#timer)
    this.#pacer.stop()
    this.#each((socket) => socket.close(closes.goingAway))
  }

  terminate(): void {
    this.#each((socket) => socket.terminate())
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, kind: Family, address: Int32Array): void {
    // Who leaves while it waits for its turn is gone without a word.
    stream.on('error', ignore)
    const key = handshakeKey(request)
    if (key === undefined) return this.#turnAway(stream, '400 Bad Request')
    const { manners, isMember } = this.#options
    const [high = 0, low = 0] = address
    if (manners.isBanned(kind, address) || !this.#perAddress.enter(kind, high, low))
      return this.#turnAway(stream, '429 Too Many Requests')
    const isOwn = isMember(kind, address)
    const isTaken = this.#pacer.run(
      () => {
        if (stream.destroyed) return this.#perAddress.leave(kind, high, low)
        stream.off('error', ignore)
        stream.write(handshakeAnswer(key), 'latin1')
        this.#accept(new Socket(stream, { kind, high, low, isMember: isOwn }, this), head)
      },
      () => stream.destroy(),
    )
    if (isTaken) return
    this.#perAddress.leave(kind, high, low)
    this.#turnAway(stream, '503 Service Unavailable')
  }

  onMessage(socket: Socket, text: string, isBinary: boolean): void {
    const { counts } = this.#options
    try {
      if (isBinary) throw new InvalidInputError('the message must be text')
      const message = parseWebSocket(text)
      if (message.action === 'scrape') this.#scrape(socket, message)
      else this.#announce(socket, message)
      counts.answered('ws', message.action)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('ws')
      this.#strike(socket)
      if (++socket.refusals > maxRefusals) socket.close(closes.policy)
      else socket.send(JSON.stringify({ 'failure reason': error.message }))
    }
  }

  onPending(socket: Socket): void {
    if (this.#pending.length === 0) setImmediate(() => this.#flush())
    this.#pending.push(socket)
  }

  onError(error: Error): void {
    this.#options.counts.failed('ws', error)
  }

  onClose(socket: Socket): void {
    this.#sockets--
    this.#rounds[socket.round]?.delete(socket)
    for (let one = socket.first; one !== undefined; one = socket.first) this.#forget(socket, one.peerId)
    const { kind, high, low } = socket.from
    this.#perAddress.leave(kind, high, low)
  }

  #accept(socket: Socket, head: Buffer): void {
    this.#sockets++
    socket.round = Math.floor(this.#options.random() * pingSeconds)
    this.#rounds[socket.round]?.add(socket)
    if (head.length > 0) socket.read(head)
  }

  #turnAway(stream: Duplex, status: string): void {
    this.#options.counts.refused('ws')
    stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy())
  }

  #announce(socket: Socket, message: SocketAnnounce): void {
    const client = this.#clientOf(socket, message)
    if (message.answer !== undefined) return this.#passAnswer(socket, message, message.answer)
    const { swarms, limits, interval, random } = this.#options
    const word = this.#word
    word.infoHash.set(message.infoHash)
    word.address[0] = client
    word.event = message.event
    word.left = message.left
    word.wanted = message.offers.length
    if (swarms.swarmsOf(client) >= limits.swarmsPerSocket && !swarms.isMember(word.infoHash, client)) {
      const most = socket.from.isMember ? limits.swarmsPerMember : limits.swarmsPerSocket
      let swarmsOfSocket = 0
      for (let one = socket.first; one !== undefined; one = one.next) swarmsOfSocket += swarms.swarmsOf(one.client)
      if (swarmsOfSocket >= most) throw new InvalidInputError(`one connection may be in ${most} torrents at most`)
    }
    const answer = this.#answer
    swarms.announce(word, answer)
    if (answer.refusal !== '') throw new InvalidInputError(answer.refusal)
    // A tenth of chance keeps those who came together from coming together for ever.
    const seconds = Math.max(1, Math.round(interval * (1 - random() / 10)))
    socket.send(
      `{"complete":${answer.complete},"incomplete":${answer.incomplete},"action":"announce","interval":${seconds},"info_hash":${message.infoHashText}}`,
    )
    for (let i = 0; i < answer.count; i++) this.#passOffer(message, i, answer.peers[i] as number)
  }

  #passOffer(message: SocketAnnounce, which: number, peer: number): void {
    const offer = message.offers[which]
    const client = this.#options.swarms.clientOf(peer)
    const to = this.#byClient[client]
    if (offer === undefined || to === undefined) return
    const open = (to.offers ??= new Set())
    if (open.size >= maxOpenOffers) {
      to.olderOffers = open
      to.offers = new Set()
    }
    to.offers.add(offerKey(offer.offerId, message.peerId))
    to.send(offerMessage(offer, message))
  }

  /** Only who was given an offer may answer it, and once. */
  #passAnswer(socket: Socket, message: SocketAnnounce, answer: NonNullable<SocketAnnounce['answer']>): void {
    const key = offerKey(answer.offerId, answer.to)
    const isOpen = socket.offers?.delete(key) === true || socket.olderOffers?.delete(key) === true
    const to = this.#owners.get(answer.to)
    // The other one may have left meanwhile: that is nobody's fault.
    if (isOpen && to !== undefined) to.send(answerMessage(answer, message))
    else this.#options.counts.refused('ws')
  }

  #scrape(socket: Socket, { infoHashTexts }: SocketScrape): void {
    const counts = this.#counts
    const files = infoHashTexts.map((text) => {
      this.#options.swarms.counts(infoHashOf(text), counts)
      const { complete, incomplete, downloaded, downloaders } = counts
      return `${text}:{"complete":${complete},"incomplete":${incomplete},"downloaded":${downloaded},"downloaders":${downloaders}}`
    })
    socket.send(`{"action":"scrape","files":{${files.join(',')}}}`)
  }

  #clientOf(socket: Socket, { peerId, event }: SocketAnnounce): number {
    const known = socket.clientOf(peerId)
    if (known !== undefined) return known
    const owner = this.#owners.get(peerId)
    if (owner !== undefined) this.#takeOver(owner, socket, peerId, event)
    if (socket.clients >= maxPeerIds) throw new InvalidInputError('too many peer ids on one connection')
    const client = this.#options.swarms.openClient()
    socket.add(peerId, client)
    this.#owners.set(peerId, socket)
    this.#byClient[client] = socket
    return client
  }

  /**
   * A peer id that is in use is handed over only to a client at the same address (it reconnected before its old socket was
   * found dead), and never in order to stop it.
   */
  #takeOver(owner: Socket, other: Socket, peerId: string, event: number): void {
    const isSame =
      owner.from.kind === other.from.kind && owner.from.high === other.from.high && owner.from.low === other.from.low
    if (!isSame || event === happened.stopped)
      throw new InvalidInputError('this peer id is in use on another connection')
    this.#forget(owner, peerId)
  }

  #forget(socket: Socket, peerId: string): void {
    const client = socket.remove(peerId)
    if (client === undefined) return
    this.#owners.delete(peerId)
    this.#byClient[client] = undefined
    this.#options.swarms.closeClient(client)
  }

  /** Counts a fault against the address; the limits count IPv6 by the /64. */
  #strike({ from: { kind, high, low, isMember } }: Socket): void {
    if (isMember) return
    this.#address[0] = high
    this.#address[1] = low
    this.#options.manners.refused(kind, this.#address)
  }

  #flush(): void {
    const pending = this.#pending
    this.#pending = []
    for (const socket of pending) socket.flush()
  }

  /** Asks one part of the sockets each second, so that no two parts are asked at once. */
  #ping(): void {
    this.#second = (this.#second + 1) % pingSeconds
    let waiting = 0
    for (const socket of this.#rounds[this.#second] ?? []) {
      waiting += socket.waiting
      if (!socket.isAlive || waiting > maxWaiting / pingSeconds) {
        socket.terminate()
        continue
      }
      socket.isAlive = false
      socket.olderOffers = socket.offers
      socket.offers = undefined
      socket.sendPing()
    }
  }

  #each(visit: (socket: Socket) => void): void {
    for (const round of this.#rounds) for (const socket of round) visit(socket)
  }
}

/** One id may be written in JSON in several ways. */
const offerKey = (offerId: string, from: string): string => {
  const plain = offerId.includes('\\') ? JSON.stringify(JSON.parse(offerId)) : offerId
  return `${plain} ${from}`
}

const ignore = (): void => {}
