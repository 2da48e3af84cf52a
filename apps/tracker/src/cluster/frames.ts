import { InvalidInputError } from '@eldernode/core'

/** What workers say to each other. Each carries a number that an answer repeats, or that stands for a WebSocket. */
export const says = {
  /** A UDP packet. No answer comes. */
  packet: 1,
  /** An announce of HTTP, and the answer to it. */
  ask: 2,
  answer: 3,
  /** Counts of torrents. */
  count: 4,
  counted: 5,
  /** A WebSocket speaks here from now on; what it says; what it is told; that it was refused; that it is gone. */
  open: 6,
  say: 7,
  tell: 8,
  refuse: 9,
  gone: 10,
  /** Something to be read by name, such as figures, and what it is as JSON. */
  read: 11,
  value: 12,
} as const
export type Says = (typeof says)[keyof typeof says]

const last: number = says.value

/** Kind and number. */
const headLength = 5

/** Bytes behind the head: a message of a WebSocket, the figures of a worker. */
export const maxPayload = 512 * 1024

/** Bytes that are kept between two turns of the loop. */
const usual = 64 * 1024

/** Frames on their way out, one behind the other, to be written in one piece. */
export class FrameWriter {
  #bytes = Buffer.alloc(usual)
  #length = 0
  #start = 0

  get length(): number {
    return this.#length
  }

  /** Begins a frame; `int`, `text` and `put` fill it. */
  begin(kind: Says, id: number): void {
    this.#start = this.#length
    this.#room(4 + headLength)
    this.#bytes[this.#length + 4] = kind
    this.#bytes.writeUInt32BE(id, this.#length + 5)
    this.#length += 4 + headLength
  }

  int(word: number): void {
    this.#room(4)
    this.#length = this.#bytes.writeInt32BE(word, this.#length)
  }

  put(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** @param text each byte as one character */
  text(text: string): void {
    this.#room(text.length)
    this.#length += this.#bytes.write(text, this.#length, 'latin1')
  }

  end(): void {
    this.#bytes.writeUInt32BE(this.#length - this.#start - 4, this.#start)
  }

  /** All frames since it was called last. */
  take(): Buffer {
    const frames = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    if (frames.length < usual) return Buffer.from(frames)
    // What was a crowd is handed over as it is: its memory is not kept.
    this.#bytes = Buffer.alloc(usual)
    return frames
  }

  #room(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

export type Heard = (kind: Says, id: number, payload: Buffer) => void

/** Frames as they come in. It keeps bytes of one that has not come whole, and no more than a frame may have. */
export class FrameReader {
  #parts: Buffer[] = []
  #waiting = 0
  #needed = 4

  /** @param heard its payload is good until it returns. Throws `InvalidInputError` for what is no frame. */
  read(chunk: Buffer, heard: Heard): void {
    this.#parts.push(chunk)
    this.#waiting += chunk.length
    if (this.#waiting < this.#needed) return
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#waiting)
    let at = 0
    this.#needed = 4
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at)
      if (length < headLength || length > headLength + maxPayload)
        throw new InvalidInputError('no frame has this length')
      if (bytes.length - at < 4 + length) {
        this.#needed = 4 + length
        break
      }
      const kind = bytes[at + 4] as number
      if (kind < 1 || kind > last) throw new InvalidInputError('no frame is of this kind')
      heard(kind as Says, bytes.readUInt32BE(at + 5), bytes.subarray(at + 4 + headLength, at + 4 + length))
      at += 4 + length
    }
    this.#waiting = bytes.length - at
    // A slice would hold the whole chunk.
    this.#parts = this.#waiting === 0 ? [] : [Buffer.from(bytes.subarray(at))]
  }
}
