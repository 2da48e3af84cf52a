import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection to a BitTorrent port that can send what no client would. */
export class RawPeer {
  readonly #socket: Socket
  readonly #received: Buffer[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    // What the other side does to it is asked for, never thrown.
    socket.on('error', () => {})
    socket.on('data', (bytes) => this.#received.push(bytes))
  }

  /** `from` is the address it calls from; all of 127.0.0.0/8 is this machine. */
  static async open(port: number, from = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
    const peer = new RawPeer(socket)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    return peer
  }

  /** Whether the other side, or this one, ended it. */
  get closed(): boolean {
    return this.#socket.closed || this.#socket.readableEnded
  }

  /** Resolves once the system has taken the bytes, or the connection is over. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      this.#socket.once('close', resolve)
      this.#socket.write(bytes, () => {
        this.#socket.off('close', resolve)
        resolve()
      })
    })
  }

  /** Takes exactly so many bytes. @throws Error when the connection ends before, or after 20 s */
  async read(count: number): Promise<Buffer> {
    const limit = AbortSignal.timeout(20_000)
    for (;;) {
      const held = Buffer.concat(this.#received.splice(0))
      if (held.length > count) this.#received.push(held.subarray(count))
      if (held.length >= count) return held.subarray(0, count)
      this.#received.push(held)
      if (this.closed) throw new Error(`the connection ended after ${held.length} of ${count} bytes`)
      await Promise.race(['data', 'end', 'close'].map((event) => once(this.#socket, event, { signal: limit })))
    }
  }

  end(): void {
    this.#socket.destroy()
  }
}

/** The first message of a peer (BEP 3), with the extension protocol and the fast extension. */
export function handshake(infoHash: string, protocol = '\u0013BitTorrent protocol'): Buffer {
  const features = Buffer.from('0000000000100004', 'hex')
  return Buffer.concat([
    Buffer.from(protocol, 'latin1'),
    features,
    Buffer.from(infoHash, 'hex'),
    Buffer.from('-XX0001-abcdefghijkl'),
  ])
}

/** A message after the handshake: length, kind, body. */
export function message(kind: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length + 1)
  head[4] = kind
  return Buffer.concat([head, body])
}
