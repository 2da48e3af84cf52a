/** The smallest piece and the largest, as powers of two. */
const smallest = 8
const largest = 20

/** Bytes of free pieces that are kept for later. */
const mostFree = 8 * 1024 * 1024

/** Pieces of memory for what is on its way out, each used again as soon as the system has taken what was in it. */
export class Memory {
  readonly #free: Buffer[][] = Array.from({ length: largest + 1 }, () => [])
  #bytes = 0

  /** A piece with room for so many bytes, up to 2 MiB, filled with anything. */
  take(length: number): Buffer {
    const order = Math.max(smallest, 32 - Math.clz32(length - 1))
    const piece = this.#free[order]?.pop()
    if (piece === undefined) return Buffer.allocUnsafeSlow(2 ** order)
    this.#bytes -= piece.length
    return piece
  }

  /** Takes back a piece that nobody reads any more. */
  give(piece: Buffer): void {
    if (this.#bytes + piece.length > mostFree) return
    this.#free[31 - Math.clz32(piece.length)]?.push(piece)
    this.#bytes += piece.length
  }
}
