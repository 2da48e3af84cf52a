import { isUtf8 } from 'node:buffer'

/** Close codes of RFC 6455. */
export const closes = {
  goingAway: 1001,
  protocol: 1002,
  notText: 1003,
  notUtf8: 1007,
  policy: 1008,
  tooBig: 1009,
} as const

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** What came in, each byte of its UTF-8 as one character. */
export interface FrameReceiver {
  message(text: string, isBinary: boolean): void
  ping(payload: string): void
  pong(): void
  closed(): void
  /** The client broke the protocol or a limit: nothing more will be read. */
  failed(code: number): void
}

const isFinal = 0x80
const isReserved = 0x70
const isMasked = 0x80

/** Reads the frames of one client (RFC 6455). It keeps bytes only of what has not come whole yet. */
export class FrameReader {
  readonly #most: number
  readonly #scratch: Scratch
  #partial: Buffer | undefined
  #fragments = ''
  #opcode = 0
  #isOver = false

  /**
   * @param most bytes of a message
   * @param scratch shared by all readers: nothing stays in it
   */
  constructor(most: number, scratch: Scratch) {
    this.#most = most
    this.#scratch = scratch
  }

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return (this.#partial?.length ?? 0) + this.#fragments.length
  }

  read(chunk: Buffer, to: FrameReceiver): void {
    const data = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk])
    this.#partial = undefined
    let at = 0
    while (!this.#isOver && data.length - at >= 2) {
      const next = this.#frame(data, at, to)
      if (next === at) break
      at = next
    }
    // A slice would hold the whole chunk.
    if (!this.#isOver && at < data.length) this.#partial = Buffer.from(data.subarray(at))
  }

  /** @returns where the next frame begins, or the same place when this one is not whole */
  #frame(data: Buffer, start: number, to: FrameReceiver): number {
    const first = data[start] as number
    const second = data[start + 1] as number
    const opcode = first & 15
    let length = second & 127
    let at = start + 2
    if ((first & isReserved) !== 0 || (second & isMasked) === 0) return this.#fail(closes.protocol, to)
    const isControl = opcode >= 8
    if (isControl ? length > 125 || (first & isFinal) === 0 || opcode > 10 : opcode > 2)
      return this.#fail(closes.protocol, to)
    if (length >= 126) {
      const wide = length === 126 ? 2 : 8
      if (data.length - at < wide) return start
      length = wide === 2 ? data.readUInt16BE(at) : data.readUInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4)
      at += wide
    }
    if (length + this.#fragments.length > this.#most) return this.#fail(closes.tooBig, to)
    if (data.length - at < 4 + length) return start
    const text = this.#scratch.unmask(data, at + 4, length, data.readInt32LE(at))
    if (isControl) this.#control(opcode, text, to)
    else this.#data(opcode, (first & isFinal) !== 0, text, to)
    return at + 4 + length
  }

  #data(opcode: number, isLast: boolean, text: string, to: FrameReceiver): void {
    if ((opcode === opcodes.continuation) === (this.#opcode === 0)) return void this.#fail(closes.protocol, to)
    const kind = this.#opcode === 0 ? opcode : this.#opcode
    if (!isLast) {
      this.#opcode = kind
      this.#fragments += text
      return
    }
    const message = this.#fragments + text
    this.#fragments = ''
    this.#opcode = 0
    if (kind === opcodes.text && !this.#scratch.isUtf8(message)) return void this.#fail(closes.notUtf8, to)
    to.message(message, kind === opcodes.binary)
  }

  #control(opcode: number, payload: string, to: FrameReceiver): void {
    if (opcode === opcodes.ping) return to.ping(payload)
    if (opcode === opcodes.pong) return to.pong()
    this.#isOver = true
    to.closed()
  }

  #fail(code: number, to: FrameReceiver): number {
    this.#isOver = true
    to.failed(code)
    return 0
  }
}

/** Room to take the masks off. */
export class Scratch {
  readonly #bytes: Buffer
  readonly #words: Int32Array
  #length = 0

  constructor(most: number) {
    const memory = new ArrayBuffer(most + 8)
    this.#bytes = Buffer.from(memory)
    this.#words = new Int32Array(memory, 0, Math.floor(memory.byteLength / 4))
  }

  unmask(data: Buffer, from: number, length: number, mask: number): string {
    data.copy(this.#bytes, 0, from, from + length)
    const words = this.#words
    const count = (length + 3) >> 2
    for (let i = 0; i < count; i++) words[i] = (words[i] as number) ^ mask
    this.#length = length
    return this.#bytes.toString('latin1', 0, length)
  }

  /** A message is UTF-8 as a whole, its fragments need not be. */
  isUtf8(message: string): boolean {
    if (message.length !== this.#length) return isUtf8(Buffer.from(message, 'latin1'))
    return isUtf8(this.#bytes.subarray(0, this.#length))
  }
}

/** A frame of the server, which are not masked, each byte as one character. */
export const frame = (opcode: number, payload: string): string => {
  const { length } = payload
  const head = String.fromCharCode(isFinal | opcode)
  if (length < 126) return head + String.fromCharCode(length) + payload
  if (length < 65_536) return head + String.fromCharCode(126, length >> 8, length & 255) + payload
  return (
    head +
    String.fromCharCode(127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255) +
    payload
  )
}
