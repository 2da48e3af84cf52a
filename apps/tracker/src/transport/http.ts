import { InvalidInputError } from '@eldernode/core'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, BlockList } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Registry } from 'prom-client'
import type { Engine } from '../swarm/index.ts'
import { announceUrl, parseHttpAnnounce, parseHttpScrape, scrapeAnswer } from '../wire/index.ts'
import { clientAddress } from './client-address.ts'
import type { Counts } from './counts.ts'
import type { WebSocketTransport } from './websocket.ts'

interface HttpTransportOptions {
  engine: Engine
  counts: Counts
  registry: Registry
  webSockets: WebSocketTransport
  trusted: BlockList
  maxConnections: number
}

/** BEP 3 and BEP 48 over HTTP, `/health`, `/metrics`, and the door of the WebSockets. */
export class HttpTransport {
  readonly #options: HttpTransportOptions
  readonly #server: Server

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.#server = createServer(
      { maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 20_000 },
      (request, response) => this.#onRequest(request, response),
    )
    this.#server.maxConnections = options.maxConnections
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head))
  }

  /** Resolves to the real port. Rejects with the system's error when it cannot be had. */
  async start(host: string, port: number): Promise<number> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    this.#server.on('error', (error) => this.#options.counts.failed('http', error))
    return (this.#server.address() as AddressInfo).port
  }

  /** Takes no more connections; resolves when the last one has ended. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    await closed
  }

  terminate(): void {
    this.#server.closeAllConnections()
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2)
    if (request.method !== 'GET') return this.#plain(response, 405, 'only GET is served here', { connection: 'close' })
    if (path === '/announce' || path === '/scrape') return this.#track(path, search, request, response)
    if (path === '/health') return this.#plain(response, 200, 'ok')
    if (path === '/metrics') return void this.#metrics(response)
    this.#plain(response, 404, 'a BitTorrent tracker: announce at /announce')
  }

  #track(path: string, search: string, request: IncomingMessage, response: ServerResponse): void {
    const { engine, counts } = this.#options
    response.setHeader('content-type', 'text/plain; charset=latin1')
    try {
      if (path === '/scrape') {
        response.end(scrapeAnswer(parseHttpScrape(search).infoHashes, (infoHash) => engine.countsOf(infoHash)))
      } else {
        const remoteAddress = this.#clientOf(request)
        const url = announceUrl(parseHttpAnnounce(search))
        engine.onHttpRequest({ url, headers: {}, connection: { remoteAddress } }, response)
      }
      counts.answered('http', path.slice(1))
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('http')
      // Trackers fail with status 200: clients read the reason from the body.
      response.end(`d14:failure reason${Buffer.byteLength(error.message)}:${error.message}e`)
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { webSockets, counts } = this.#options
    socket.on('error', (error) => counts.failed('ws', error))
    try {
      webSockets.upgrade(request, socket, head, this.#clientOf(request))
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('ws')
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    }
  }

  #clientOf({ socket, headers }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for']
    return clientAddress(
      socket.remoteAddress,
      Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
      this.#options.trusted,
    )
  }

  async #metrics(response: ServerResponse): Promise<void> {
    const { registry, counts } = this.#options
    try {
      const text = await registry.metrics()
      response.setHeader('content-type', registry.contentType).end(text)
    } catch (error) {
      counts.failed('http', error as Error)
      this.#plain(response, 500, 'the metrics could not be read')
    }
  }

  #plain(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`)
  }
}
