import { connect, type Socket } from 'node:net'

const peerId = '-BE0001-benchbenchbe'
const largestBlock = 16_384
const [unchoke, piece] = [1, 7]

/** Asks a peer for the first block of an item, as a client that knows its metainfo already (BEP 3). */
class FirstBlock {
  readonly #socket: Socket
  readonly #size: number
  #received = Buffer.alloc(0)
  #greeted = false

  constructor(socket: Socket, infoHash: string, size: number) {
    this.#socket = socket
    this.#size = size
    const start = Buffer.from(`\u0013BitTorrent protocol\0\0\0\0\0\0\0\0`, 'latin1')
    socket.write(Buffer.concat([start, Buffer.from(infoHash, 'hex'), Buffer.from(peerId)]))
  }

  /** @returns whether the block is there */
  take(bytes: Buffer): boolean {
    this.#received = Buffer.concat([this.#received, bytes])
    if (!this.#greeted) {
      if (this.#received.length < 68) return false
      this.#received = this.#received.subarray(68)
      this.#greeted = true
      this.#socket.write(Buffer.from('0000000102', 'hex'))
    }
    while (this.#received.length >= 4) {
      const length = this.#received.readUInt32BE()
      if (this.#received.length < 4 + length) return false
      const kind = length === 0 ? undefined : this.#received[4]
      this.#received = this.#received.subarray(4 + length)
      if (kind === piece) return true
      if (kind === unchoke) this.#ask()
    }
    return false
  }

  #ask(): void {
    const request = Buffer.alloc(17)
    request.writeUInt32BE(13)
    request[4] = 6
    request.writeUInt32BE(Math.min(this.#size, largestBlock), 13)
    this.#socket.write(request)
  }
}

/**
 * @returns milliseconds from the TCP handshake's start until the first block has come
 * @throws Error when the connection is refused or ends before
 */
export function firstBlock(port: number, infoHash: string, size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const block = new FirstBlock(socket, infoHash, size)
    const limit = setTimeout(() => socket.destroy(new Error('no block within 20 s')), 20_000)
    socket.on('data', (bytes: Buffer) => {
      if (!block.take(bytes)) return
      resolve(performance.now() - started)
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(limit)
      reject(new Error(`the peer ended the connection for ${infoHash}`))
    })
  })
}
