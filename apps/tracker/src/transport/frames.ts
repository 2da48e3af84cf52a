import { isUtf8 } from 'node:buffer'
import { wordsIn } from '../wire/index.ts'

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

/** What came in, as bytes that are good until the call returns. */
export interface FrameReceiver {
  message(bytes: Buffer, from: number, to: number, isBinary: boolean): void
  ping(bytes: Buffer, from: number, to: number): void
  pong(): void
  closed(): void
  /** The client broke the protocol or a limit: nothing more will be read. */
  failed(code: number): void
}

const isFinal = 0x80
const isReserved = 0x70
const isMasked = 0x80

/** Pieces of one message. No client of a tracker cuts messages at all, and each piece costs a copy of those before it. */
const maxPieces = 64

/** Has one bit of each of four bytes that ASCII leaves at zero. */
const beyondAscii = 0x80808080 | 0

/**
 * Reads the frames of one client (RFC 6455), taking the masks off in the very memory they came in. It keeps bytes only of
 * what has not come whole yet.
 */
export class FrameReader {
  readonly #most: number
  #partial: Buffer | undefined
  #fragments: Buffer | undefined
  #pieces = 0
  #opcode = 0
  #isOver = false
  /** Whether it reads no further for now. */
  isHeld = false

  /** @param most bytes of a message */
  constructor(most: number) {
    this.#most = most
  }

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return (this.#partial?.length ?? 0) + (this.#fragments?.length ?? 0)
  }

  /**
   * @param chunk is changed; what is needed of it later is copied
   * @returns what it has not read since it is held, to be given again
   */
  read(chunk: Buffer, to: FrameReceiver): Buffer | undefined {
    const data = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk])
    this.#partial = undefined
    let at = 0
    while (!this.#isOver && !this.isHeld && data.length - at >= 2) {
      const next = this.#frame(data, at, to)
      if (next === at) break
      at = next
    }
    if (this.#isOver || at === data.length) return undefined
    // A slice would hold the whole chunk.
    const rest = Buffer.from(data.subarray(at))
    if (this.isHeld) return rest
    this.#partial = rest
    return undefined
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
    if (length + (this.#fragments?.length ?? 0) > this.#most) return this.#fail(closes.tooBig, to)
    const end = at + 4 + length
    if (data.length < end) return start
    const seen = unmask(data, at + 4, end, data.readInt32LE(at))
    if (isControl) this.#control(opcode, data, at + 4, end, to)
    else this.#data(opcode, (first & isFinal) !== 0, data, at + 4, end, (seen & beyondAscii) === 0, to)
    return end
  }

  #data(
    opcode: number,
    isLast: boolean,
    data: Buffer,
    from: number,
    end: number,
    isAscii: boolean,
    to: FrameReceiver,
  ): void {
    if ((opcode === opcodes.continuation) === (this.#opcode === 0)) return void this.#fail(closes.protocol, to)
    const kind = this.#opcode === 0 ? opcode : this.#opcode
    if (isLast && this.#fragments === undefined) {
      this.#opcode = 0
      return this.#message(kind, data, from, end, isAscii, to)
    }
    this.#pieces = this.#fragments === undefined ? 1 : this.#pieces + 1
    if (this.#pieces > maxPieces) return void this.#fail(closes.policy, to)
    const part = data.subarray(from, end)
    const message = this.#fragments === undefined ? Buffer.from(part) : Buffer.concat([this.#fragments, part])
    this.#opcode = isLast ? 0 : kind
    this.#fragments = isLast ? undefined : message
    // A message is UTF-8 as a whole, its fragments need not be.
    if (isLast) this.#message(kind, message, 0, message.length, false, to)
  }

  #message(kind: number, data: Buffer, from: number, end: number, isAscii: boolean, to: FrameReceiver): void {
    if (kind === opcodes.text && !isAscii && !isUtf8(data.subarray(from, end)))
      return void this.#fail(closes.notUtf8, to)
    to.message(data, from, end, kind === opcodes.binary)
  }

  #control(opcode: number, data: Buffer, from: number, end: number, to: FrameReceiver): void {
    if (opcode === opcodes.ping) return to.ping(data, from, end)
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

/** Takes a mask off. @returns every bit that is set in one of the bytes, if there are more than a few */
const unmask = (data: Buffer, from: number, end: number, mask: number): number => {
  let seen = beyondAscii
  let at = from
  if (end - from >= 16) {
    // Words lie where the memory's own begin, wherever this piece of it does.
    for (; ((data.byteOffset + at) & 3) !== 0; at++)
      data[at] = (data[at] as number) ^ (mask >>> (8 * ((at - from) & 3)))
    const turned = 8 * ((at - from) & 3)
    const key = turned === 0 ? mask : (mask >>> turned) | (mask << (32 - turned))
    const words = wordsIn(data)
    seen = 0
    for (let i = from; i < at; i++) seen |= (data[i] as number) << 24
    for (let i = (data.byteOffset + at) >> 2; at + 4 <= end; at += 4, i++) {
      const word = (words[i] as number) ^ key
      words[i] = word
      seen |= word
    }
  }
  for (; at < end; at++) {
    const byte = (data[at] as number) ^ (mask >>> (8 * ((at - from) & 3)))
    data[at] = byte
    seen |= byte << 24
  }
  return seen
}

/** Bytes before the payload of a frame of the server, whose frames are not masked. */
export const headLength = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/** @returns where the payload goes */
export const writeHead = (into: Buffer, start: number, opcode: number, length: number): number => {
  into[start] = isFinal | opcode
  if (length < 126) {
    into[start + 1] = length
    return start + 2
  }
  if (length < 65_536) {
    into[start + 1] = 126
    into[start + 2] = length >> 8
    into[start + 3] = length
    return start + 4
  }
  into[start + 1] = 127
  into.writeUInt32BE(0, start + 2)
  return into.writeUInt32BE(length, start + 6)
}
