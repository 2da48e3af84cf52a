import { InvalidInputError } from '@eldernode/core'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer, type RawData } from 'ws'
import type { Engine } from '../swarm/index.ts'
import { engineMessage, maxMessage, parseWebSocket, type WebSocketAnnounce } from '../wire/index.ts'
import type { Counts } from './counts.ts'
import { EngineSocket } from './engine-socket.ts'

interface WebSocketTransportOptions {
  engine: Engine
  counts: Counts
  maxPerAddress: number
}

/** A client that goes on sending garbage is cut off. */
const maxRefusals = 20

/** Clients on one socket: a browser page runs one, rarely some more. */
const maxPeerIds = 16

const pingMs = 30_000

/** WebTorrent's signalling: offers and answers between peers. Upgrades come from the HTTP listener. */
export class WebSocketTransport {
  readonly #options: WebSocketTransportOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessage,
    perMessageDeflate: false,
    clientTracking: true,
  })
  readonly #connections = new WeakMap<WebSocket, Connection>()
  readonly #perAddress = new Map<string, number>()
  readonly #owners = new Map<string, EngineSocket>()
  #pings: NodeJS.Timeout | undefined

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
  }

  get sockets(): number {
    return this.#server.clients.size
  }

  start(): void {
    this.#pings = setInterval(() => this.#ping(), pingMs)
  }

  /** Says goodbye to every client; those that do not answer are cut off when the TCP listener stops. */
  stop(): void {
    clearInterval(this.#pings)
    for (const socket of this.#server.clients) socket.close(1001, 'the tracker is stopping')
  }

  terminate(): void {
    for (const socket of this.#server.clients) socket.terminate()
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    const { counts, maxPerAddress } = this.#options
    if ((this.#perAddress.get(address) ?? 0) >= maxPerAddress) {
      counts.refused('ws')
      socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    this.#server.handleUpgrade(request, socket, head, (client) => this.#accept(client, address))
  }

  #accept(socket: WebSocket, address: string): void {
    const connection: Connection = { address, peers: new Map(), refusals: 0, isAlive: true }
    this.#connections.set(socket, connection)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    socket.on('message', (data, isBinary) => this.#onMessage(socket, connection, data, isBinary))
    socket.on('error', (error) => this.#options.counts.failed('ws', error))
    socket.on('pong', () => (connection.isAlive = true))
    socket.on('close', () => this.#onClose(connection))
  }

  #onMessage(socket: WebSocket, connection: Connection, data: RawData, isBinary: boolean): void {
    const { counts } = this.#options
    try {
      if (isBinary) throw new InvalidInputError('the message must be text')
      const request = parseWebSocket((data as Buffer).toString())
      this.#peerOf(socket, connection, request).receive(engineMessage(request))
      counts.answered('ws', request.action)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('ws')
      if (++connection.refusals > maxRefusals) socket.close(1008, 'too many malformed messages')
      else new EngineSocket(socket, connection.address).send(JSON.stringify({ 'failure reason': error.message }))
    }
  }

  #peerOf(socket: WebSocket, connection: Connection, request: ReturnType<typeof parseWebSocket>): EngineSocket {
    const peerId = request.action === 'announce' ? request.peerId : ''
    const known = connection.peers.get(peerId)
    if (known && (request.action === 'scrape' || this.#owners.get(peerId) === known)) return known
    if (request.action === 'announce') this.#claim(connection, request)
    if (connection.peers.size >= maxPeerIds) throw new InvalidInputError('too many peer ids on one connection')
    const peer = new EngineSocket(socket, connection.address)
    connection.peers.set(peerId, peer)
    if (request.action === 'announce') this.#owners.set(peerId, peer)
    this.#options.engine.onWebSocketConnection(peer)
    return peer
  }

  /**
   * Peer ids are known to the whole swarm, so one that is in use is handed over only to a client at the same address
   * (it reconnected before its old socket was found dead), and never in order to stop it.
   */
  #claim({ address, peers }: Connection, { peerId, event }: WebSocketAnnounce): void {
    const owner = this.#owners.get(peerId)
    if (!owner) return
    if (owner.address !== address || event === 'stopped') {
      throw new InvalidInputError('this peer id is in use on another connection')
    }
    owner.leave()
    this.#owners.delete(peerId)
    peers.delete(peerId)
  }

  #onClose({ address, peers }: Connection): void {
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(address)
    else this.#perAddress.set(address, left)
    for (const [peerId, peer] of peers) {
      if (this.#owners.get(peerId) === peer) this.#owners.delete(peerId)
      peer.leave()
    }
    peers.clear()
  }

  #ping(): void {
    for (const socket of this.#server.clients) {
      const connection = this.#connections.get(socket)
      if (!connection?.isAlive) socket.terminate()
      else {
        connection.isAlive = false
        socket.ping()
      }
    }
  }
}

interface Connection {
  address: string
  peers: Map<string, EngineSocket>
  refusals: number
  isAlive: boolean
}
