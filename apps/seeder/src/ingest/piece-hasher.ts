import { createHash } from 'node:crypto'

const digestLength = 20

/** The SHA-1 of each piece of a run of bytes, without regard to where its files begin (BEP 3). */
export class PieceHasher {
  readonly #length: number
  #hash = createHash('sha1')
  #left: number
  #digests = Buffer.alloc(64 * digestLength)
  #end = 0

  constructor(pieceLength: number) {
    this.#length = pieceLength
    this.#left = pieceLength
  }

  update(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + this.#left)
      this.#hash.update(bytes.subarray(from, to))
      this.#left -= to - from
      from = to
      if (this.#left === 0) this.#endPiece()
    }
  }

  /** @returns the digests one after the other, the last piece being what is left */
  finish(): Uint8Array {
    if (this.#left < this.#length) this.#endPiece()
    return new Uint8Array(this.#digests.subarray(0, this.#end))
  }

  #endPiece(): void {
    if (this.#end === this.#digests.length) this.#digests = Buffer.concat([this.#digests, Buffer.alloc(this.#end)])
    this.#end += this.#hash.digest().copy(this.#digests, this.#end)
    this.#hash = createHash('sha1')
    this.#left = this.#length
  }
}
