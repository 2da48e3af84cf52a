import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** Answers one announce over HTTP. */
export type HttpAnswer = (response: ServerResponse, tracker: ScriptedTracker) => void
/** Answers one message over WebSocket. */
export type SocketAnswer = (socket: WebSocket, infoHash: string, tracker: ScriptedTracker) => void

const rightHttp: HttpAnswer = (response) => response.end('d8:intervali15e5:peers0:e')
const rightSocket: SocketAnswer = (socket, infoHash) =>
  socket.send(JSON.stringify({ action: 'announce', info_hash: infoHash, interval: 15, complete: 1, incomplete: 0 }))

/**
 * Trackers whose answers a test chooses, all on one port, each at a path of its own: `/<name>/announce` over HTTP, and
 * `/<name>` over WebSocket. They answer as they should while `right` is true.
 */
export class ScriptedTracker {
  right = true
  readonly #http: Readonly<Record<string, HttpAnswer>>
  readonly #sockets: Readonly<Record<string, SocketAnswer>>
  readonly #heard = new Map<string, Set<string>>()
  readonly #asked = new Map<string, number>()
  readonly #server: Server
  readonly #webSockets = new WebSocketServer({ noServer: true })

  private constructor(http: Readonly<Record<string, HttpAnswer>>, sockets: Readonly<Record<string, SocketAnswer>>) {
    this.#http = http
    this.#sockets = sockets
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('upgrade', (request, socket, head) => {
      this.#webSockets.handleUpgrade(request, socket, head, (client) => this.#join(client, nameOf(request)))
    })
  }

  static async start(
    http: Readonly<Record<string, HttpAnswer>>,
    sockets: Readonly<Record<string, SocketAnswer>> = {},
  ): Promise<ScriptedTracker> {
    const tracker = new ScriptedTracker(http, sockets)
    tracker.#server.listen(0, '127.0.0.1')
    await once(tracker.#server, 'listening')
    return tracker
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** An announce URL for each tracker, by name. */
  get urls(): Record<string, string> {
    return Object.fromEntries([
      ...Object.keys(this.#http).map((name) => [name, `http://127.0.0.1:${this.port}/${name}/announce`]),
      ...Object.keys(this.#sockets).map((name) => [name, `ws://127.0.0.1:${this.port}/${name}`]),
    ]) as Record<string, string>
  }

  /** How often one of them was asked. */
  asked(name: string): number {
    return this.#asked.get(name) ?? 0
  }

  /** The infohashes, in hex, that one of them heard of while it answered rightly. */
  heard(name: string): ReadonlySet<string> {
    return this.#heard.get(name) ?? new Set()
  }

  async close(): Promise<void> {
    for (const client of this.#webSockets.clients) client.terminate()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const name = nameOf(request)
    const [, escaped = ''] = /[?&]info_hash=((?:%[0-9a-f]{2}){20})/i.exec(request.url ?? '') ?? []
    const answer = this.#note(name, escaped.replaceAll('%', '').toLowerCase()) ? rightHttp : this.#http[name]
    if (answer === undefined) response.writeHead(404).end()
    else answer(response, this)
  }

  #join(socket: WebSocket, name: string): void {
    socket.on('message', (data: Buffer) => {
      const { info_hash: infoHash } = JSON.parse(data.toString()) as { info_hash: string }
      const right = this.#note(name, Buffer.from(infoHash, 'latin1').toString('hex'))
      const answer = right ? rightSocket : this.#sockets[name]
      answer?.(socket, infoHash, this)
    })
  }

  #note(name: string, infoHash: string): boolean {
    this.#asked.set(name, this.asked(name) + 1)
    if (this.right) this.#heard.set(name, new Set([...this.heard(name), infoHash]))
    return this.right
  }
}

function nameOf({ url = '' }: IncomingMessage): string {
  return url.split(/[/?]/)[1] ?? ''
}
