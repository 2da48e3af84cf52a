import { InvalidInputError } from '@eldernode/core'
import type { Duplex } from 'node:stream'
import { type Gate, wrongKey } from '../access/index.ts'
import type { Signalling } from '../signalling/index.ts'
import { HttpHead, infoHashOf, parseWebSocket, readPath, type SocketMessage, TrackerPath } from '../wire/index.ts'
import type { Family } from './address.ts'
import type { Counts, Reason } from './counts.ts'
import { closes } from './frames.ts'
import { handshakeAnswer, isHandshake, turnAway } from './handshake.ts'
import type { Manners } from './manners.ts'
import { MessageRate } from './message-rate.ts'
import { Outbox } from './outbox.ts'
import { Pacer } from './pacer.ts'
import { placeOf, type Places } from './places.ts'
import type { Shards, Upgrade } from './shards.ts'
import { Socket, type SocketOwner } from './socket.ts'

interface WebSocketTransportOptions {
  signalling: Signalling
  gate: Gate
  counts: Counts
  manners: Manners
  places: Places
  isMember: (kind: Family, address: Int32Array) => boolean
  /** Absent where this process keeps all torrents. */
  shards?: Shards | undefined
  limits: { messagesPerSocket: number }
  /** From 0 to below 1. */
  random: () => number
}

/** A client that goes on sending garbage is cut off. */
const maxRefusals = 20

/** Seconds. Each socket is asked once in so many whether it is still there. */
const pingSeconds = 40

/** Bytes of messages that have not come whole, of all sockets together. */
const maxWaiting = 64 * 1024 * 1024

/** By the status of who is turned away; others are beyond a limit. */
const reasons: Readonly<Record<string, Reason>> = { 400: 'malformed', 403: 'access' }

/** WebTorrent's signalling: offers and answers between peers. Upgrades come from the HTTP listener. */
export class WebSocketTransport implements SocketOwner {
  readonly #options: WebSocketTransportOptions
  // Sockets by the second of the turn in which each is pinged.
  readonly #rounds = Array.from({ length: pingSeconds }, () => new Set<Socket>())
  readonly #rate: MessageRate
  readonly #pacer = new Pacer()
  readonly #outbox = new Outbox()
  readonly #address = new Int32Array(4)
  readonly #path = new TrackerPath()
  #sockets = 0
  #onEmpty = (): void => {}
  #second = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
    this.#rate = new MessageRate(options.limits)
  }

  get sockets(): number {
    return this.#sockets
  }

  start(): void {
    this.#timer = setInterval(() => this.#ping(), 1000)
  }

  /** Says goodbye to every client; those that do not answer are cut off by `terminate`. Resolves when all have left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#pacer.stop()
    const left = new Promise<void>((resolve) => (this.#onEmpty = resolve))
    if (this.#sockets === 0) return
    this.#each((socket) => socket.close(closes.goingAway))
    await left
  }

  terminate(): void {
    this.#each((socket) => socket.terminate())
  }

  upgrade(
    head: HttpHead,
    stream: Duplex,
    rest: Buffer,
    kind: Family,
    address: Int32Array,
    isOwn = this.#options.isMember(kind, address),
  ): void {
    // Who leaves while it waits for its turn is gone without a word.
    stream.on('error', ignore)
    if (!isHandshake(head)) return this.#turnAway(stream, '400 Bad Request')
    const { manners, gate, places, shards } = this.#options
    const [high = 0, low = 0] = address
    if (manners.isBanned(kind, address)) return this.#turnAway(stream, '429 Too Many Requests')
    const { passkey, shard } = readPath(head.path, this.#path) ? this.#path : noPath
    const callerKey = gate.keyOf(passkey)
    if (gate.refusalOfKey(callerKey) !== '') {
      if (callerKey === wrongKey) manners.refused(kind, address, 'wrong passkey')
      return this.#turnAway(stream, '403 Forbidden')
    }
    if (shards !== undefined && shard !== -1 && shards.of(shard) !== shards.own) {
      const { webSocketKey, path } = head
      const upgrade = { webSocketKey, path, kind, address: [...address], isMember: isOwn }
      if (shards.give(shards.of(shard), stream, rest, upgrade)) return
    }
    const place = placeOf(kind, high, low)
    if (!places.enter(place)) return this.#turnAway(stream, '429 Too Many Requests')
    // The head is filled anew by the next request, while this one may wait.
    const key = head.webSocketKey
    const isTaken = this.#pacer.run(
      () => {
        if (stream.destroyed) return places.leave(place)
        stream.off('error', ignore)
        const from = { kind, high, low, isMember: isOwn, key: callerKey }
        this.#accept(new Socket(stream, handshakeAnswer(key), from, this), rest)
      },
      () => {
        places.leave(place)
        stream.destroy()
      },
    )
    if (isTaken) return
    places.leave(place)
    this.#turnAway(stream, '503 Service Unavailable')
  }

  /** A connection whose upgrade another worker has read. */
  take(stream: Duplex, rest: Buffer, { webSocketKey, path, kind, address, isMember }: Upgrade): void {
    if (this.#options.places.isFull) return this.#turnAway(stream, '503 Service Unavailable')
    const head = new HttpHead()
    head.isUpgrade = true
    head.webSocketVersion = '13'
    head.webSocketKey = webSocketKey
    head.path = path
    this.upgrade(head, stream, rest, kind, Int32Array.from(address), isMember)
  }

  onHeard(socket: Socket): void {
    if (!socket.from.isMember) this.#rate.heard(socket)
  }

  onMessage(socket: Socket, bytes: Buffer, from: number, to: number, isBinary: boolean): void {
    const { counts, shards, signalling } = this.#options
    try {
      if (isBinary) throw new InvalidInputError('the message must be text')
      const message = parseWebSocket(bytes, from, to)
      if (shards === undefined) signalling.message(socket, message)
      else this.#toShard(shards, socket, message)
      counts.answered('ws', message.action)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      this.onRefusal(socket, error.message)
    }
  }

  onRefusal(socket: Socket, reason: string): void {
    this.#options.counts.refused('ws')
    this.#strike(socket, reason)
    if (++socket.refusals > maxRefusals) socket.close(closes.policy)
    else socket.send(JSON.stringify({ 'failure reason': reason }))
  }

  onPending(socket: Socket): void {
    this.#outbox.add(socket)
  }

  onError(error: Error): void {
    this.#options.counts.failed('ws', error)
  }

  onClose(socket: Socket): void {
    if (--this.#sockets === 0) this.#onEmpty()
    this.#rate.leave(socket)
    this.#rounds[socket.round]?.delete(socket)
    this.#options.signalling.leave(socket)
    this.#options.shards?.gone(socket)
    const { kind, high, low } = socket.from
    this.#options.places.leave(placeOf(kind, high, low))
  }

  #toShard(shards: Shards, socket: Socket, message: SocketMessage): void {
    const { signalling } = this.#options
    if (message.action === 'scrape') {
      const { infoHashTexts } = message
      const infoHashes = infoHashTexts.map((hash) => Int32Array.from(infoHashOf(hash)))
      return shards.counts(infoHashes, socket.from.key, (countsOf) =>
        signalling.scrape(socket, infoHashTexts, countsOf),
      )
    }
    const shard = shards.of(message.infoHash[0] as number)
    if (shard === shards.own) signalling.message(socket, message)
    else shards.say(shard, socket, message.text)
  }

  #accept(socket: Socket, rest: Buffer): void {
    this.#sockets++
    this.#rate.begin(socket)
    socket.round = Math.floor(this.#options.random() * pingSeconds)
    this.#rounds[socket.round]?.add(socket)
    if (rest.length > 0) socket.read(rest)
  }

  #turnAway(stream: Duplex, status: string): void {
    this.#options.counts.refused('ws', reasons[status.slice(0, 3)] ?? 'limit')
    turnAway(stream, status)
  }

  /** Counts a fault against the address; the limits count IPv6 by the /64. */
  #strike({ from: { kind, high, low, isMember } }: Socket, reason: string): void {
    if (isMember) return
    this.#address[0] = high
    this.#address[1] = low
    this.#options.manners.refused(kind, this.#address, reason)
  }

  /** Asks one part of the sockets each second, so that no two parts are asked at once. */
  #ping(): void {
    this.#rate.tick()
    this.#second = (this.#second + 1) % pingSeconds
    let waiting = 0
    for (const socket of this.#rounds[this.#second] ?? []) {
      waiting += socket.waiting
      // Who sends whole messages does not pay for those who do not.
      if (!socket.isAlive || (socket.waiting > 0 && waiting > maxWaiting / pingSeconds)) {
        socket.terminate()
        continue
      }
      socket.isAlive = false
      if (!this.#isWelcome(socket)) {
        socket.close(closes.policy)
        continue
      }
      socket.forgetOffers()
      socket.sendPing()
    }
  }

  /** Whether it would be let in again: keys are revoked and addresses banned while sockets stay open. */
  #isWelcome({ from: { kind, high, low, key, isMember } }: Socket): boolean {
    const { gate, manners } = this.#options
    this.#address[0] = high
    this.#address[1] = low
    return gate.refusalOfKey(key) === '' && (isMember || !manners.isBanned(kind, this.#address))
  }

  #each(visit: (socket: Socket) => void): void {
    for (const round of this.#rounds) for (const socket of round) visit(socket)
  }
}

const noPath = { passkey: '', shard: -1 }

const ignore = (): void => {}
