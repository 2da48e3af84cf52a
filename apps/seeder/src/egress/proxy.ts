import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import type { Egress } from './egress.ts'

/** Those that belong to one connection and are not passed on (RFC 9110, 7.6.1). */
const ofConnection = ['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'upgrade']
const idleMs = 60_000
const mostConnections = 64

/**
 * An HTTP proxy on loopback whose way out is `egress`: for programs that make connections of their own, and would follow
 * any name to any address. Only who has its URL may use it.
 */
export class EgressProxy {
  readonly #server: Server
  readonly #egress: Egress
  readonly #secret = randomBytes(16).toString('hex')
  readonly #open = new Set<Duplex>()
  #left = Infinity

  static async open(egress: Egress): Promise<EgressProxy> {
    const proxy = new EgressProxy(egress)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    return proxy
  }

  private constructor(egress: Egress) {
    this.#egress = egress
    this.#server = createServer((incoming, answer) => this.#forward(incoming, answer))
    this.#server.maxConnections = mostConnections
    this.#server.on('connection', (socket) => this.#watch(socket.setTimeout(idleMs, () => socket.destroy())))
    this.#server.on('connect', (incoming, socket) => this.#tunnel(incoming, socket))
  }

  get url(): string {
    return `http://eldernode:${this.#secret}@127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From here on so many bytes come in, and then every connection ends. */
  allow(bytes: number): void {
    this.#left = bytes
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    if (!this.#knows(incoming)) return void answer.writeHead(407, { 'proxy-authenticate': 'Basic' }).end()
    const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : undefined
    if (url?.protocol !== 'http:' || !this.#egress.isAllowedAddress(url.hostname))
      return void answer.writeHead(403).end()
    const headers = Object.entries(incoming.headers).filter(([name]) => !ofConnection.includes(name))
    const outgoing = httpRequest(url, {
      method: incoming.method ?? 'GET',
      headers: { ...Object.fromEntries(headers), host: url.host },
      lookup: this.#egress.lookup,
      agent: false,
      timeout: idleMs,
    })
    outgoing.on('socket', (socket) => this.#watch(socket))
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()))
    outgoing.on('response', (response) => {
      const passed = Object.entries(response.headers).filter(([name]) => !ofConnection.includes(name))
      answer.writeHead(response.statusCode ?? 502, Object.fromEntries(passed))
      response.on('data', (chunk: Buffer) => this.#take(chunk.length))
      pipeline(response, answer, () => undefined)
    })
    answer.on('close', () => outgoing.destroy())
    pipeline(incoming, outgoing, () => undefined)
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => socket.destroy())
    if (!this.#knows(incoming)) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const [, six, name = '', port = ''] =
      /^(?:\[([0-9a-f:.]+)\]|([^\s[\]:]+)):(\d{1,5})$/i.exec(incoming.url ?? '') ?? []
    const host = six ?? name
    // Without a host it would be this one.
    const named = host !== '' && Number(port) >= 1 && Number(port) <= 65_535
    if (!named || !this.#egress.isAllowedAddress(host)) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const outgoing = connect({ host, port: Number(port), lookup: this.#egress.lookup, timeout: idleMs })
    this.#watch(outgoing)
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('data', (chunk: Buffer) => this.#take(chunk.length))
    outgoing.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      pipeline(socket, outgoing, () => outgoing.destroy())
      pipeline(outgoing, socket, () => socket.destroy())
    })
    outgoing.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    socket.on('close', () => outgoing.destroy())
  }

  #knows({ headers }: IncomingMessage): boolean {
    const wanted = Buffer.from(`Basic ${Buffer.from(`eldernode:${this.#secret}`).toString('base64')}`)
    const given = Buffer.from(headers['proxy-authorization'] ?? '')
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }

  #take(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) for (const socket of this.#open) socket.destroy()
  }

  #watch(socket: Duplex): void {
    if (this.#left < 0) socket.destroy()
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
  }
}
