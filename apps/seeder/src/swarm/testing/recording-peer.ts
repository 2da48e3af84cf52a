import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const kinds = { unchoke: 1, have: 4, bitfield: 5, piece: 7, haveAll: 14, reject: 16, extended: 20 }
/** The id this peer gives out for BEP 54. */
const dontHaveId = 7

/** A peer that asks for what it is told to, and records everything that it is sent. */
export class RecordingPeer {
  readonly #socket: Socket
  /** Blocks, by piece and offset. */
  readonly blocks = new Map<string, Buffer>()
  readonly rejected: string[] = []
  readonly haves: number[] = []
  readonly dontHaves: number[] = []
  /** What the other side said it has, once it has spoken; `undefined` stands for everything. */
  bitfield: Buffer | undefined
  unchoked = false
  #unread = Buffer.alloc(0)
  #greeted = false
  #news = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes) => this.#read(bytes))
    for (const event of ['data', 'end', 'close']) {
      socket.on(event, () => {
        this.#news.resolve()
        this.#news = Promise.withResolvers()
      })
    }
  }

  /** Connects, and waits until it may ask. @param fast whether it knows the fast extension (BEP 6) */
  static async open(port: number, infoHash: string, fast = true): Promise<RecordingPeer> {
    const socket = connect(port, '127.0.0.1')
    const peer = new RecordingPeer(socket)
    await once(socket, 'connect')
    const features = Buffer.from(fast ? '0000000000100004' : '0000000000100000', 'hex')
    const id = Buffer.from(`-XX0001-${Math.random().toString().slice(2, 14).padEnd(12, '0')}`)
    const protocol = Buffer.from('\u0013BitTorrent protocol', 'latin1')
    socket.write(Buffer.concat([protocol, features, Buffer.from(infoHash, 'hex'), id]))
    const extensions = Buffer.from(`d1:md11:lt_donthavei${dontHaveId}eee`)
    socket.write(message(kinds.extended, Buffer.concat([Buffer.from([0]), extensions])))
    socket.write(message(2))
    while (!peer.unchoked) await peer.#event()
    return peer
  }

  get closed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded
  }

  /** Asks for one block, and waits for its bytes or a refusal. @returns undefined when it is refused */
  async ask(piece: number, offset: number, length: number): Promise<Buffer | undefined> {
    const name = `${piece} ${offset} ${length}`
    const refusals = this.rejected.length
    this.blocks.delete(name)
    this.send(piece, offset, length)
    for (;;) {
      const block = this.blocks.get(name)
      if (block !== undefined) return block
      if (this.rejected.slice(refusals).includes(name) || this.closed) return undefined
      await this.#event()
    }
  }

  /** Asks for a whole piece in blocks of 16 KiB, all at once. @returns what came of it, `undefined` for nothing */
  async askAll(piece: number, size: number): Promise<Buffer | undefined> {
    const starts = Array.from({ length: Math.ceil(size / 16_384) }, (_, n) => n * 16_384)
    const blocks = await Promise.all(starts.map((start) => this.ask(piece, start, Math.min(16_384, size - start))))
    const sent = blocks.filter((block) => block !== undefined)
    return sent.length === 0 ? undefined : Buffer.concat(sent)
  }

  send(piece: number, offset: number, length: number): void {
    const body = Buffer.alloc(12)
    for (const [n, value] of [piece, offset, length].entries()) body.writeUInt32BE(value, n * 4)
    this.#socket.write(message(6, body))
  }

  /** Resolves when `condition` holds, looked at after each thing that comes. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#event()
  }

  end(): void {
    this.#socket.destroy()
  }

  async #event(): Promise<void> {
    if (this.closed) throw new Error('the connection ended')
    await this.#news.promise
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    if (!this.#greeted && this.#unread.length < 68) return
    if (!this.#greeted) this.#unread = this.#unread.subarray(68)
    this.#greeted = true
    while (this.#unread.length >= 4) {
      const end = 4 + this.#unread.readUInt32BE()
      if (this.#unread.length < end) return
      if (end > 4) this.#take(this.#unread.readUInt8(4), this.#unread.subarray(5, end))
      this.#unread = this.#unread.subarray(end)
    }
  }

  #take(kind: number, body: Buffer): void {
    const numbers = (): string => [0, 4, 8].map((at) => body.readUInt32BE(at)).join(' ')
    if (kind === kinds.unchoke) this.unchoked = true
    else if (kind === kinds.bitfield) this.bitfield = Buffer.from(body)
    else if (kind === kinds.have) this.haves.push(body.readUInt32BE())
    else if (kind === kinds.reject) this.rejected.push(numbers())
    else if (kind === kinds.extended && body[0] === dontHaveId) this.dontHaves.push(body.readUInt32BE(1))
    else if (kind === kinds.piece) {
      const block = Buffer.from(body.subarray(8))
      this.blocks.set(`${body.readUInt32BE()} ${body.readUInt32BE(4)} ${block.length}`, block)
    }
  }
}

function message(kind: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length + 1)
  head[4] = kind
  return Buffer.concat([head, body])
}
