import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'

const [bindingRequest, bindingResponse, xorMappedAddress, cookie] = [0x0001, 0x0101, 0x0020, 0x2112a442]
/** What it says everybody's address is. */
const [address, port] = [0x08080808, 4321]

/** A STUN server (RFC 8489) for tests, which answers binding requests after a while, or never. */
export class StunResponder {
  /** Milliseconds; infinite for never. */
  delay: number
  asked = 0
  readonly #socket: Socket = createSocket('udp4')
  readonly #timers = new Set<NodeJS.Timeout>()

  private constructor(delay: number) {
    this.delay = delay
    this.#socket.on('message', (request, from) => {
      if (request.length < 20 || request.readUInt16BE(0) !== bindingRequest) return
      this.asked++
      if (this.delay === Infinity) return
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#socket.send(response(request), from.port, from.address)
      }, this.delay)
      this.#timers.add(timer)
    })
  }

  static async open(delay: number): Promise<StunResponder> {
    const made = new StunResponder(delay)
    made.#socket.bind(0, '127.0.0.1')
    await once(made.#socket, 'listening')
    return made
  }

  get url(): string {
    return `stun:127.0.0.1:${this.#socket.address().port}`
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#socket.close()
  }
}

function response(request: Buffer): Buffer {
  const bytes = Buffer.alloc(32)
  bytes.writeUInt16BE(bindingResponse, 0)
  bytes.writeUInt16BE(12, 2)
  request.copy(bytes, 4, 4, 20)
  bytes.writeUInt16BE(xorMappedAddress, 20)
  bytes.writeUInt16BE(8, 22)
  bytes.writeUInt8(1, 25)
  bytes.writeUInt16BE(port ^ (cookie >>> 16), 26)
  bytes.writeUInt32BE((address ^ cookie) >>> 0, 28)
  return bytes
}
