import { InvalidInputError } from '@eldernode/core'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, BlockList } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Registry } from 'prom-client'
import { Announce, Answer, kinds, type Swarms } from '../swarm/index.ts'
import {
  announceText,
  failureText,
  type Intervals,
  parseHttpAnnounce,
  parseHttpScrape,
  scrapeText,
} from '../wire/index.ts'
import { type Family, parseAddress } from './address.ts'
import { clientAddress } from './client-address.ts'
import type { Counts } from './counts.ts'
import type { Manners } from './manners.ts'
import type { WebSocketTransport } from './websocket.ts'

interface HttpTransportOptions {
  swarms: Swarms
  counts: Counts
  manners: Manners
  registry: Registry
  webSockets: WebSocketTransport
  trusted: BlockList
  intervals: Intervals
  trackerId: string
  maxConnections: number
}

const plainText = 'text/plain; charset=utf-8'

/** What trackers send is no text of any kind. */
const bencoded = 'text/plain; charset=latin1'

/** BEP 3 and BEP 48 over HTTP, `/health`, `/metrics`, and the door of the WebSockets. */
export class HttpTransport {
  readonly #options: HttpTransportOptions
  readonly #server: Server
  readonly #word = new Announce()
  readonly #answer = new Answer()
  readonly #countsOf: Swarms['counts']

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.#countsOf = (infoHash, counts) => options.swarms.counts(infoHash, counts)
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
    const url = request.url ?? ''
    const mark = url.indexOf('?')
    const path = mark === -1 ? url : url.slice(0, mark)
    const search = mark === -1 ? '' : url.slice(mark + 1)
    if (request.method !== 'GET') return send(response, 405, plainText, 'only GET is served here\n', true)
    if (path === '/announce' || path === '/scrape') return this.#track(path, search, request, response)
    if (path === '/health') return send(response, 200, plainText, 'ok\n')
    if (path === '/metrics') return void this.#metrics(response)
    send(response, 404, plainText, 'a BitTorrent tracker: announce at /announce\n')
  }

  #track(path: string, search: string, request: IncomingMessage, response: ServerResponse): void {
    const { counts, manners } = this.#options
    const word = this.#word
    let kind: Family | undefined
    try {
      kind = this.#callerOf(request, word.address)
      word.kind = kind
      if (!manners.permits(kind, word.address)) {
        counts.refused('http')
        return send(response, 429, bencoded, failureText('too many requests from this address'), true)
      }
      const text = path === '/scrape' ? scrapeText(parseHttpScrape(search), this.#countsOf) : this.#announce(search)
      counts.answered('http', path === '/scrape' ? 'scrape' : 'announce')
      send(response, 200, bencoded, text)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('http')
      if (kind !== undefined) manners.refused(kind, word.address)
      // Trackers fail with status 200: clients read the reason from the body.
      send(response, 200, bencoded, failureText(error.message))
    }
  }

  #announce(search: string): string {
    const { swarms, intervals, trackerId } = this.#options
    const word = this.#word
    parseHttpAnnounce(search, word)
    swarms.announce(word, this.#answer)
    if (this.#answer.refusal !== '') return failureText(this.#answer.refusal)
    return announceText(this.#answer, word.kind === kinds.ipv6, swarms, intervals, trackerId)
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { webSockets, counts } = this.#options
    try {
      const kind = this.#callerOf(request, this.#word.address)
      webSockets.upgrade(request, socket, head, kind, this.#word.address)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      counts.refused('ws')
      socket.on('error', () => socket.destroy())
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    }
  }

  /** Throws `InvalidInputError` when a trusted proxy names no address. */
  #callerOf({ socket, headers }: IncomingMessage, into: Int32Array): Family {
    const { trusted } = this.#options
    const forwarded = headers['x-forwarded-for']
    const list = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
    const remote = socket.remoteAddress ?? ''
    const address = list === undefined ? remote : clientAddress(remote, list, trusted)
    const kind = parseAddress(address, into)
    // A connection that is gone has no address any more.
    if (kind === undefined) throw new InvalidInputError('the caller has no address')
    return kind
  }

  async #metrics(response: ServerResponse): Promise<void> {
    const { registry, counts } = this.#options
    try {
      send(response, 200, registry.contentType, await registry.metrics())
    } catch (error) {
      counts.failed('http', error as Error)
      send(response, 500, plainText, 'the metrics could not be read\n')
    }
  }
}

const send = (response: ServerResponse, status: number, type: string, text: string, isLast = false): void => {
  const bytes = type === bencoded ? text.length : Buffer.byteLength(text)
  response.writeHead(status, [
    'content-type',
    type,
    'content-length',
    String(bytes),
    ...(isLast ? ['connection', 'close'] : []),
  ])
  response.end(text, type === bencoded ? 'latin1' : 'utf8')
}
