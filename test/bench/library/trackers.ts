import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

interface Announced {
  action?: string
  info_hash?: string
}

/** An HTTP and a WebSocket tracker on one port that know nobody, ask for one interval, and count what is announced. */
export class BenchTrackers {
  readonly #interval: number
  readonly #server: Server
  readonly #sockets: WebSocketServer
  /** As the query spells them, and as the message does. */
  readonly #byHttp = new Set<string>()
  readonly #byWebSocket = new Set<string>()

  private constructor(interval: number) {
    this.#interval = interval
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.keepAliveTimeout = 0
    this.#sockets = new WebSocketServer({ server: this.#server })
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => this.#hear(socket, data.toString()))
    })
  }

  /** @param interval in seconds */
  static async open(interval: number): Promise<BenchTrackers> {
    const trackers = new BenchTrackers(interval)
    trackers.#server.listen(0, '127.0.0.1')
    await once(trackers.#server, 'listening')
    return trackers
  }

  get http(): string {
    return `http://127.0.0.1:${this.#port}/announce`
  }

  get webSocket(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Distinct infohashes announced to both of them, at least. */
  get announcedToBoth(): number {
    return Math.min(this.#byHttp.size, this.#byWebSocket.size)
  }

  get announcedByHttp(): number {
    return this.#byHttp.size
  }

  get announcedByWebSocket(): number {
    return this.#byWebSocket.size
  }

  forget(): void {
    this.#byHttp.clear()
    this.#byWebSocket.clear()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const infoHash = /[?&]info_hash=([^&]+)/.exec(url)?.[1]
    if (infoHash !== undefined) this.#byHttp.add(infoHash)
    response.end(`d8:completei1e10:incompletei0e8:intervali${this.#interval}e5:peers0:e`)
  }

  #hear(socket: WebSocket, text: string): void {
    const { action, info_hash: infoHash } = JSON.parse(text) as Announced
    if (action !== 'announce' || infoHash === undefined) return
    this.#byWebSocket.add(infoHash)
    const answer = { action, info_hash: infoHash, interval: this.#interval, complete: 1, incomplete: 0 }
    socket.send(JSON.stringify(answer))
  }
}
