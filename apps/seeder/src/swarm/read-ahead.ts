/** Where blocks come from: bytes of one torrent. */
export interface ByteSource {
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Piece lengths are powers of two, so a run of this size never crosses a piece that is not held. */
const runBytes = 512 * 1024

interface Run {
  bytes: Uint8Array | null
  reading: Promise<Uint8Array>
}

/**
 * Reads disks in runs of up to 512 KiB where peers ask for 16 KiB, and keeps the last ones for all peers of all items.
 * Blocks are views into a run: nothing is copied before the socket.
 */
export class ReadAhead {
  readonly #maxBytes: number
  readonly #runs = new Map<string, Run>()
  #bytes = 0

  constructor(maxBytes = 48 * 1024 * 1024) {
    this.#maxBytes = maxBytes
  }

  /** A block inside one piece; at once when its run is in memory. `key` names the torrent. */
  block(key: string, source: ByteSource, piece: Extent, offset: number, length: number): BlockRead {
    const size = Math.min(runBytes, piece.size)
    const from = Math.floor(offset / size) * size
    if (offset + length > Math.min(from + size, piece.size)) return source.read(piece.offset + offset, length)
    const run = this.#run(
      `${key} ${piece.offset + from}`,
      source,
      piece.offset + from,
      Math.min(size, piece.size - from),
    )
    const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(offset - from, offset - from + length)
    return run.bytes === null ? run.reading.then(cut) : cut(run.bytes)
  }

  forget(key: string): void {
    for (const [name, run] of this.#runs) {
      if (name.startsWith(key)) this.#drop(name, run)
    }
  }

  #run(name: string, source: ByteSource, offset: number, length: number): Run {
    const known = this.#runs.get(name)
    if (known !== undefined) {
      this.#runs.delete(name)
      this.#runs.set(name, known)
      return known
    }
    const run: Run = { bytes: null, reading: source.read(offset, length) }
    this.#runs.set(name, run)
    run.reading.then(
      (bytes) => {
        run.bytes = bytes
        if (this.#runs.get(name) !== run) return
        this.#bytes += bytes.length
        this.#trim()
      },
      () => this.#drop(name, run),
    )
    return run
  }

  #trim(): void {
    for (const [name, run] of this.#runs) {
      if (this.#bytes <= this.#maxBytes) return
      if (run.bytes !== null) this.#drop(name, run)
    }
  }

  #drop(name: string, run: Run): void {
    if (this.#runs.get(name) !== run) return
    this.#runs.delete(name)
    this.#bytes -= run.bytes?.length ?? 0
  }
}

type BlockRead = Uint8Array | Promise<Uint8Array>

interface Extent {
  offset: number
  size: number
}
