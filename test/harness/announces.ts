import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { WebSocket } from 'ws'

const constantId = Buffer.from('0000041727101980', 'hex')

/** A raw UDP client (BEP 15) that can send what no real one would. */
export class UdpPeer {
  readonly #socket: Socket
  readonly #port: number
  readonly #host: string

  private constructor(socket: Socket, port: number, host: string) {
    this.#socket = socket
    this.#port = port
    this.#host = host
  }

  static async open(port: number, host = '127.0.0.1'): Promise<UdpPeer> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').bind(0, host)
    await once(socket, 'listening')
    return new UdpPeer(socket, port, host)
  }

  send(packet: Buffer): void {
    this.#socket.send(packet, this.#port, this.#host)
  }

  /** The next packet, or undefined when none comes within some milliseconds. */
  async next(within: number): Promise<Buffer | undefined> {
    try {
      const [packet] = (await once(this.#socket, 'message', { signal: AbortSignal.timeout(within) })) as [Buffer]
      return packet
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') return undefined
      throw error
    }
  }

  async connect(): Promise<Buffer> {
    for (let attempt = 0; attempt < 20; attempt++) {
      this.send(Buffer.concat([constantId, Buffer.from('00000000cafe0000', 'hex')]))
      const answer = await this.next(500)
      if (answer) return answer.subarray(8, 16)
    }
    throw new Error('the tracker does not answer over UDP')
  }

  /** A well-formed announce of a leecher. */
  static announce(connectionId: Buffer, infoHash: Buffer, peerId: string, { port = 0, ip = 0 } = {}): Buffer {
    const packet = Buffer.alloc(98)
    connectionId.copy(packet)
    packet.writeUInt32BE(1, 8)
    infoHash.copy(packet, 16)
    packet.write(peerId, 36, 'latin1')
    packet.writeUInt32BE(1, 68)
    packet.writeUInt32BE(2, 80)
    packet.writeUInt32BE(ip, 84)
    packet.writeInt32BE(-1, 92)
    packet.writeUInt16BE(port, 96)
    return packet
  }

  close(): void {
    this.#socket.close()
  }
}

/** A raw WebSocket client that can send what no real one would. Answers wait until they are asked for. */
export class RawSocket {
  readonly #socket: WebSocket
  readonly #received: Record<string, unknown>[] = []

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#received.push(JSON.parse(data.toString()) as Record<string, unknown>))
  }

  static async open(url: string): Promise<RawSocket> {
    const socket = new WebSocket(url)
    const raw = new RawSocket(socket)
    await once(socket, 'open')
    return raw
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** Takes the oldest message that is waiting, if any. */
  take(): Record<string, unknown> | undefined {
    return this.#received.shift()
  }

  /** Closes, and resolves to the close code. */
  async close(): Promise<number> {
    const closed = this.closed()
    this.#socket.close()
    return await closed
  }

  async closed(): Promise<number> {
    const [code] = (await once(this.#socket, 'close')) as [number]
    return code
  }
}
