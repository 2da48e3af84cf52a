import { InvalidInputError } from '@eldernode/core'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { HttpHead } from '../wire/index.ts'
import type { Counts } from './counts.ts'
import { Deadlines } from './deadlines.ts'
import { turnAway } from './handshake.ts'
import { HttpConnection, type HttpOwner, okHead, type Visitor } from './http-connection.ts'
import type { HttpPages } from './http-pages.ts'
import { headOf, isPlain, PageAsker } from './page-asker.ts'
import { PageConnection } from './page-connection.ts'
import type { Places } from './places.ts'
import type { Asker, HttpTracker } from './http-tracker.ts'
import type { WebSocketTransport } from './websocket.ts'

interface HttpTransportOptions {
  tracker: Pick<HttpTracker, 'ask' | 'callerOf' | 'placeOf' | 'refusalOf'>
  pages: Pick<HttpPages, 'answer'>
  webSockets: Pick<WebSocketTransport, 'upgrade'>
  counts: Counts
  places: Places
}

/** Seconds until the head of a request must have come; until the next request must, or a page have left. */
const headSeconds = 10
const idleSeconds = 20

/**
 * The TCP port. `HttpConnection` reads the plain requests of clients. Whatever else comes goes to `node:http` together
 * with its connection, which never comes back: so the tracker's paths are served there, too.
 */
export class HttpTransport implements HttpOwner {
  readonly head = new HttpHead()
  okHead = okHead()
  readonly #options: HttpTransportOptions
  readonly #server: Server
  readonly #deadlines = new Deadlines<Visitor>((visitor) => visitor.terminate())
  readonly #pageConnections = new WeakMap<Socket, PageConnection>()
  readonly #address = new Int32Array(4)
  #timer: NodeJS.Timeout | undefined

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.#server = createServer(
      {
        maxHeaderSize: 8192,
        headersTimeout: headSeconds * 1000,
        requestTimeout: headSeconds * 1000,
        keepAliveTimeout: idleSeconds * 1000,
        connectionsCheckingInterval: 1000,
        // Other protocols are not spoken: the request is answered as if it had not asked for one (RFC 9110, 7.8).
        shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      },
      (request, response) => this.#onPage(request, response),
    )
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, rest: Buffer) => {
      const connection = this.#pageConnections.get(socket)
      if (connection !== undefined) this.#release(connection)
      if (!isPlain(request)) return this.#refuse(socket)
      headOf(request, this.head)
      this.#upgrade(new PageAsker(request), socket, rest)
    })
    // The way in of `node:http`, for connections that are handed to it.
    this.#server.on('other', this.#server.listeners('connection')[0] as (socket: Socket) => void)
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket) => {
      const connection = new HttpConnection(socket, this)
      this.#admit(connection, connection)
    })
  }

  /** Resolves to the real port. Rejects with the system's error when it cannot be had. */
  async start(host: string, port: number, isShared = false): Promise<number> {
    this.#server.listen({ port, host, reusePort: isShared })
    await once(this.#server, 'listening')
    this.#server.on('error', (error) => this.#options.counts.failed('http', error))
    this.#timer = setInterval(() => this.#tick(), 1000)
    return (this.#server.address() as AddressInfo).port
  }

  get isListening(): boolean {
    return this.#server.listening
  }

  /** Takes no more connections; resolves when the last one has ended. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    this.#deadlines.forEach((connection) => connection.endIdle())
    await closed
    clearInterval(this.#timer)
  }

  terminate(): void {
    this.#server.closeAllConnections()
    this.#deadlines.forEach((connection) => connection.terminate())
  }

  onRequest(connection: HttpConnection): boolean {
    const { path, search, forwardedFor } = this.head
    return this.#options.tracker.ask(connection, path, search, forwardedFor)
  }

  onUpgrade(connection: HttpConnection, socket: Socket, rest: Buffer): void {
    this.#upgrade(connection, socket, rest)
  }

  onOther(asker: HttpConnection, socket: Socket, rest: Buffer): void {
    const connection = new PageConnection(socket)
    if (!this.#admit(connection, asker)) return
    socket.once('close', () => this.#release(connection))
    this.#pageConnections.set(socket, connection)
    socket.unshift(rest)
    this.#server.emit('other', socket)
    socket.resume()
  }

  onBegun(connection: HttpConnection): void {
    this.#deadlines.remove(connection)
    this.#deadlines.add(connection, headSeconds)
  }

  onAnswered(connection: HttpConnection): void {
    this.#deadlines.extend(connection, idleSeconds)
  }

  onClose(connection: HttpConnection): void {
    this.#release(connection)
  }

  onError(error: Error): void {
    this.#options.counts.failed('http', error)
  }

  /** Gives it a place, if its address may have one more; if all are taken, that of who has said nothing for longest. */
  #admit(visitor: Visitor, asker: Asker): boolean {
    const { tracker, places, counts } = this.#options
    const place = tracker.placeOf(asker)
    if (place !== undefined && places.enter(place)) {
      visitor.place = place
      const first = places.isCrowded ? this.#deadlines.first() : visitor
      if (first !== undefined) {
        if (first !== visitor) this.#giveUp(first)
        this.#deadlines.add(visitor, headSeconds)
        return true
      }
    }
    counts.refused('http', 'limit')
    this.#giveUp(visitor)
    return false
  }

  #giveUp(visitor: Visitor): void {
    this.#release(visitor)
    visitor.terminate()
  }

  /** Before or after its connection has closed. */
  #release(visitor: Visitor): void {
    this.#deadlines.remove(visitor)
    if (visitor.place === undefined) return
    this.#options.places.leave(visitor.place)
    visitor.place = undefined
  }

  #onPage(request: IncomingMessage, response: ServerResponse): void {
    const { tracker, pages, counts } = this.#options
    const connection = this.#pageConnections.get(request.socket)
    if (connection === undefined) return
    this.#deadlines.extend(connection, idleSeconds)
    response.on('close', () => this.#deadlines.extend(connection, idleSeconds))
    if (!isPlain(request)) return new PageAsker(request, response).reply(400, 'a request says one Host\n', true)
    headOf(request, this.head)
    const { path, search, forwardedFor } = this.head
    const asker = new PageAsker(request, response)
    if (request.method === 'GET' && tracker.ask(asker, path, search, forwardedFor)) return
    const refusal = tracker.refusalOf(asker, forwardedFor)
    if (refusal !== '') return asker.reply(429, `${refusal}\n`, true)
    if (connection.take(response, () => pages.answer(request, response))) return
    counts.refused('http', 'limit')
    connection.terminate()
  }

  #upgrade(asker: Asker, socket: Socket, rest: Buffer): void {
    const { tracker, webSockets } = this.#options
    try {
      const kind = tracker.callerOf(asker, this.head.forwardedFor, this.#address)
      webSockets.upgrade(this.head, socket, rest, kind, this.#address)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      this.#refuse(socket)
    }
  }

  #refuse(socket: Socket): void {
    this.#options.counts.refused('ws')
    turnAway(socket, '400 Bad Request')
  }

  #tick(): void {
    this.okHead = okHead()
    this.#deadlines.tick()
  }
}
