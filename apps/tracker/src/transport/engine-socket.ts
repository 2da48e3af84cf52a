import { EventEmitter } from 'node:events'
import { WebSocket } from 'ws'

/** Bytes that may wait for a slow reader before it is cut off. */
const maxBuffered = 1024 * 1024

/**
 * One peer id on one WebSocket, as the engine sees a connection. The engine remembers one peer id per connection and
 * clears only that one when it closes; a browser page may run several clients over one socket.
 */
export class EngineSocket extends EventEmitter {
  readonly address: string
  readonly upgradeReq: object
  readonly #socket: WebSocket

  constructor(socket: WebSocket, address: string) {
    super()
    this.address = address
    this.upgradeReq = { headers: {}, connection: { remoteAddress: address, remotePort: 0 } }
    this.#socket = socket
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (this.#socket.bufferedAmount > maxBuffered) this.#socket.terminate()
    else this.#socket.send(text)
  }

  receive(text: string): void {
    this.emit('message', text)
  }

  /** Leaves every swarm, before anybody else may enter one under the same peer id. */
  leave(): void {
    this.emit('close')
  }
}
