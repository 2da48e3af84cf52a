import type { Library } from '../library/index.ts'

/** Files remembered of all layouts together. */
const mostFiles = 50_000

/** A part of a piece that lies in one blob. */
export interface Stretch {
  sha256: string
  /** Bytes from the start of the blob. */
  position: number
  /** Bytes from the start of the piece. */
  at: number
  length: number
}

/** Where the pieces of an item lie in its blobs. */
export class Layout {
  readonly files: number
  readonly #pieceLength: number
  readonly #size: number
  readonly #ends: Float64Array
  readonly #blobs: readonly string[]

  constructor(pieceLength: number, files: readonly { sha256: string; size: number }[]) {
    this.files = files.length
    this.#pieceLength = pieceLength
    this.#ends = new Float64Array(files.length)
    let end = 0
    for (const [i, { size }] of files.entries()) this.#ends[i] = end += size
    this.#size = end
    this.#blobs = files.map(({ sha256 }) => sha256)
  }

  /** Bytes of a piece; 0 where there is none. */
  lengthOf(piece: number): number {
    return Math.max(0, Math.min(this.#pieceLength, this.#size - piece * this.#pieceLength))
  }

  /** The parts of a piece in order; none where there is no such piece. */
  piece(piece: number): Stretch[] {
    const start = piece * this.#pieceLength
    const end = start + this.lengthOf(piece)
    const found: Stretch[] = []
    for (let i = this.#firstEndingAfter(start); i < this.files; i++) {
      const begins = i === 0 ? 0 : this.#ends[i - 1]!
      if (begins >= end) break
      const [from, to] = [Math.max(start, begins), Math.min(end, this.#ends[i]!)]
      if (to <= from) continue
      found.push({ sha256: this.#blobs[i]!, position: from - begins, at: from - start, length: to - from })
    }
    return found
  }

  #firstEndingAfter(offset: number): number {
    let low = 0
    let high = this.files
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ends[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Layouts used lately: an item of many files takes long to look up. The infohash stands for it, so that none gets old. */
export class Layouts {
  readonly #library: Pick<Library, 'record'>
  /** In the order of their last use. */
  readonly #known = new Map<string, Layout>()
  #files = 0

  constructor(library: Pick<Library, 'record'>) {
    this.#library = library
  }

  /** @returns `undefined` for an item that this node knows nothing of */
  of(infoHash: string): Layout | undefined {
    const known = this.#known.get(infoHash)
    if (known !== undefined) {
      this.#known.delete(infoHash)
      this.#known.set(infoHash, known)
      return known
    }
    const item = this.#library.record(infoHash)
    if (item === undefined) return undefined
    const layout = new Layout(item.pieceLength, item.files)
    this.#known.set(infoHash, layout)
    this.#files += layout.files
    for (const [oldest, { files }] of this.#known) {
      if (this.#files <= mostFiles || oldest === infoHash) break
      this.#known.delete(oldest)
      this.#files -= files
    }
    return layout
  }
}
