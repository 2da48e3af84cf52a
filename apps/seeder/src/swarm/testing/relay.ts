import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

interface Announce {
  info_hash: string
  peer_id: string
  to_peer_id?: string
  offers?: { offer: unknown; offer_id: string }[]
  answer?: unknown
  offer_id?: string
}

/** A tracker over WebSocket that passes all offers and answers on, and knows no peer by itself. */
export class Relay {
  readonly #server: WebSocketServer
  readonly #peers = new Map<string, WebSocket>()

  private constructor(server: WebSocketServer) {
    this.#server = server
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => this.#hear(socket, JSON.parse(data.toString()) as Announce))
    })
  }

  static async open(): Promise<Relay> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    return new Relay(server)
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Peers that announced so far. */
  get peers(): number {
    return this.#peers.size
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #hear(socket: WebSocket, { info_hash, peer_id, to_peer_id, offers = [], answer, offer_id }: Announce): void {
    this.#peers.set(peer_id, socket)
    const head = { action: 'announce', info_hash, peer_id }
    if (answer !== undefined) {
      this.#peers.get(to_peer_id ?? '')?.send(JSON.stringify({ ...head, answer, offer_id }))
      return
    }
    socket.send(JSON.stringify({ action: 'announce', info_hash, interval: 100, complete: 0, incomplete: 0 }))
    for (const [peer, other] of this.#peers) {
      if (peer !== peer_id) for (const offer of offers) other.send(JSON.stringify({ ...head, ...offer }))
    }
  }
}
