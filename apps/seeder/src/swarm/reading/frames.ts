/** Blocks of other sizes are legal, yet no client asks for them (BEP 3). */
export const blockBytes = 16 * 1024

/** Length, kind, piece and offset in front of each block. */
const headBytes = 13
const frameBytes = headBytes + blockBytes
const pieceKind = 7

/** The most bytes of blocks that lie in one `Frames`: a common piece, which is then read, checked and sent in one go. */
export const runBytes = 64 * blockBytes

/** Bytes of blocks that fit where `length` have to: a power of two, so that others find the memory as they need it. */
export function roomFor(length: number): number {
  let room = blockBytes
  while (room < length) room *= 2
  return room
}

/**
 * Memory for the `piece` messages (BEP 3) of up to 64 blocks in a row: the disk is read between the heads, so that any
 * number of consecutive blocks leaves as one buffer, and nothing is copied before the socket.
 */
export class Frames {
  /** Bytes of blocks. */
  readonly room: number
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #places: Uint8Array[] = []

  constructor(length: number) {
    this.room = roomFor(length)
    this.#bytes = Buffer.allocUnsafeSlow((this.room / blockBytes) * frameBytes)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    for (let frame = 0; frame < this.#bytes.length; frame += frameBytes) {
      this.#bytes[frame + 4] = pieceKind
      this.#places.push(this.#bytes.subarray(frame + headBytes, frame + frameBytes))
    }
  }

  /** Writes the heads of the blocks from `start` to `start + length` of a piece. @returns the places for their bytes */
  address(piece: number, start: number, length: number): Uint8Array[] {
    const places = this.#places.slice(0, Math.ceil(length / blockBytes))
    const rest = length % blockBytes
    const last = places.at(-1)
    if (last !== undefined && rest > 0) places[places.length - 1] = last.subarray(0, rest)
    for (const [n, place] of places.entries()) {
      const frame = n * frameBytes
      this.#view.setUint32(frame, headBytes - 4 + place.length)
      this.#view.setUint32(frame + 5, piece)
      this.#view.setUint32(frame + 9, start + n * blockBytes)
    }
    return places
  }

  /** The messages of bytes `from`, at a border of blocks, to `to`, counted without heads. */
  messages(from: number, to: number): Uint8Array {
    return this.#bytes.subarray((from / blockBytes) * frameBytes, Math.ceil(to / blockBytes) * headBytes + to)
  }
}
