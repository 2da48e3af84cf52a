/** Blocks of other sizes are legal, yet no client asks for them (BEP 3). */
export const blockBytes = 16 * 1024

/** Length, kind, piece and offset in front of each block. */
const headBytes = 13
const frameBytes = headBytes + blockBytes
const pieceKind = 7

/** Piece lengths are powers of two, so a run of this size never reaches into a piece that is not held. */
const runBlocks = 32
const runBytes = runBlocks * blockBytes

/** Where blocks come from: bytes of one torrent. */
export interface ByteSource {
  /** Fills the targets one after the other with the bytes from `offset` on. */
  readInto(offset: number, targets: readonly Uint8Array[]): Promise<void>
}

/** A piece, by its number and its bytes within the torrent. */
export interface Piece {
  index: number
  offset: number
  size: number
}

/**
 * Up to 512 KiB of one piece, as the `piece` messages that carry its blocks: the disk is read between the heads, so
 * that any number of consecutive blocks leaves as one buffer, and nothing is copied before the socket.
 */
export class Run {
  readonly #memory: Buffer
  readonly #start: number
  readonly #length: number
  readonly reading: Promise<void>
  ready = false
  /** Those that still need the memory: readers, and sockets with something of it to write. */
  users = 0
  cached = true

  constructor(memory: Buffer, source: ByteSource, piece: Piece, start: number) {
    this.#memory = memory
    this.#start = start
    this.#length = Math.min(runBytes, piece.size - start)
    const targets: Uint8Array[] = []
    for (let at = 0; at < this.#length; at += blockBytes) {
      const length = Math.min(blockBytes, this.#length - at)
      const frame = (at / blockBytes) * frameBytes
      memory.writeUInt32BE(headBytes - 4 + length, frame)
      memory[frame + 4] = pieceKind
      memory.writeUInt32BE(piece.index, frame + 5)
      memory.writeUInt32BE(start + at, frame + 9)
      targets.push(memory.subarray(frame + headBytes, frame + headBytes + length))
    }
    this.reading = source.readInto(piece.offset + start, targets).then(() => {
      this.ready = true
    })
    // Everyone who needs it waits for `reading` himself; without any, a failure concerns nobody.
    this.reading.catch(() => {})
  }

  get memory(): Buffer {
    return this.#memory
  }

  /** The messages of the blocks from `offset` (within the piece) to `end`, both at borders of blocks. */
  messages(offset: number, end: number): Uint8Array {
    const last = Math.min(end - this.#start, this.#length)
    const blocks = Math.ceil(last / blockBytes)
    return this.#memory.subarray(((offset - this.#start) / blockBytes) * frameBytes, blocks * headBytes + last)
  }

  /** Where the next run begins, within the piece. */
  get end(): number {
    return this.#start + this.#length
  }
}

/**
 * Reads disks in runs where peers ask for 16 KiB, and keeps the last ones for all peers of all items. Memory that no
 * socket needs any more is used again: fresh memory for each read costs more than the reading.
 */
export class ReadAhead {
  readonly #capacity: number
  readonly #runs = new Map<string, Run>()
  readonly #free: Buffer[] = []

  /** `capacity` is in bytes. */
  constructor(capacity = 32 * 1024 * 1024) {
    this.#capacity = Math.max(Math.floor(capacity / runBytes), 1)
  }

  /** The run of a block; its memory is the caller's until `release`. `key` names the torrent. */
  hold(key: string, source: ByteSource, piece: Piece, offset: number): Run {
    const start = offset - (offset % runBytes)
    const name = `${key} ${piece.offset + start}`
    const known = this.#runs.get(name)
    const run =
      known ?? new Run(this.#free.pop() ?? Buffer.allocUnsafeSlow(runBlocks * frameBytes), source, piece, start)
    run.users++
    this.#runs.delete(name)
    this.#runs.set(name, run)
    if (known === undefined) {
      run.reading.catch(() => this.#drop(name, run))
      this.#trim()
    }
    return run
  }

  release(run: Run): void {
    run.users--
    this.#reuse(run)
  }

  forget(key: string): void {
    for (const [name, run] of this.#runs) {
      if (name.startsWith(key)) this.#drop(name, run)
    }
  }

  #trim(): void {
    for (const [name, run] of this.#runs) {
      if (this.#runs.size <= this.#capacity) return
      if (run.ready) this.#drop(name, run)
    }
  }

  #drop(name: string, run: Run): void {
    if (this.#runs.get(name) !== run) return
    this.#runs.delete(name)
    run.cached = false
    this.#reuse(run)
  }

  #reuse(run: Run): void {
    if (run.cached || run.users > 0 || !run.ready || this.#free.length >= this.#capacity) return
    run.ready = false
    this.#free.push(run.memory)
  }
}
