import { InvalidInputError } from '@eldernode/core'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { HttpHead } from '../wire/index.ts'
import type { Counts } from './counts.ts'
import { Deadlines } from './deadlines.ts'
import { HttpConnection, type HttpOwner, okHead } from './http-connection.ts'
import type { HttpPages } from './http-pages.ts'
import { headOf, PageAsker } from './page-asker.ts'
import type { Asker, HttpTracker } from './http-tracker.ts'
import type { WebSocketTransport } from './websocket.ts'

interface HttpTransportOptions {
  tracker: Pick<HttpTracker, 'ask' | 'callerOf' | 'permits'>
  pages: Pick<HttpPages, 'answer'>
  webSockets: Pick<WebSocketTransport, 'upgrade'>
  counts: Counts
  maxConnections: number
}

/** Seconds until the head of a request must have come, and until the next request must. */
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
  readonly #deadlines = new Deadlines<HttpConnection>((connection) => connection.terminate())
  readonly #address = new Int32Array(4)
  #timer: NodeJS.Timeout | undefined

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.#server = createServer(
      { maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 20_000 },
      (request, response) => this.#onPage(request, response),
    )
    this.maxConnections = options.maxConnections
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, rest: Buffer) => {
      headOf(request, this.head)
      this.#upgrade(new PageAsker(request), socket, rest)
    })
    // The way in of `node:http`, for connections that are handed to it.
    this.#server.on('other', this.#server.listeners('connection')[0] as (socket: Socket) => void)
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket) => this.#deadlines.add(new HttpConnection(socket, this), headSeconds))
  }

  /** Of the port, whatever becomes of them. May be changed at any time; nobody is cut off by that. */
  set maxConnections(most: number) {
    this.#server.maxConnections = most
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

  onOther(socket: Socket, rest: Buffer): void {
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
    this.#deadlines.remove(connection)
  }

  onError(error: Error): void {
    this.#options.counts.failed('http', error)
  }

  #onPage(request: IncomingMessage, response: ServerResponse): void {
    const { tracker, pages } = this.#options
    headOf(request, this.head)
    const { path, search, forwardedFor } = this.head
    const asker = new PageAsker(request, response)
    if (request.method === 'GET' && tracker.ask(asker, path, search, forwardedFor)) return
    if (tracker.permits(asker, forwardedFor)) pages.answer(request, response)
    else asker.reply(429, 'too many requests from this address\n', true)
  }

  #upgrade(asker: Asker, socket: Socket, rest: Buffer): void {
    const { tracker, webSockets, counts } = this.#options
    try {
      const kind = tracker.callerOf(asker, this.head.forwardedFor, this.#address)
      webSockets.upgrade(this.head, socket, rest, kind, this.#address)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('ws')
      socket.on('error', () => socket.destroy())
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    }
  }

  #tick(): void {
    this.okHead = okHead()
    this.#deadlines.tick()
  }
}
