import { blockBytes, roomFor, runBytes } from './frames.ts'
import type { Frames } from './frames.ts'
import type { Piece } from './contents.ts'

/**
 * `empty` runs wait to be read, `filled` ones for the rest of their piece to be checked with them. The memory of `ended`
 * ones belongs to others.
 */
export type RunState = 'empty' | 'reading' | 'filled' | 'ready' | 'failed' | 'ended'

/** Up to 1 MiB of one piece, as the messages that carry its blocks. Nothing of it may be sent until it is `ready`. */
export class Run {
  readonly piece: Piece
  /** Within the piece. */
  readonly start: number
  readonly length: number
  /** Bytes of blocks for which its memory has room. */
  readonly room: number
  /** The memory, from the first reading on. */
  frames: Frames | undefined
  /** Where in it the bytes belong. */
  places: readonly Uint8Array[] = []
  /**
   * Settles when it is `ready`, or is not to be: then it fails, or whoever waited asks again. Only of a run that is
   * `waitedFor`; one read with its piece is not, at first.
   */
  reading: Promise<void> = Promise.resolve()
  waitedFor = false
  state: RunState = 'empty'
  /** Those that still need the memory: readers, and sockets with something of it to write. */
  users = 0
  cached = true
  /** Whether a peer asked for it, ever. */
  asked = false

  constructor(piece: Piece, start: number) {
    this.piece = piece
    this.start = start
    this.length = Math.min(runBytes, piece.size - start)
    this.room = roomFor(this.length)
  }

  get ready(): boolean {
    return this.state === 'ready'
  }

  /** Whether it will never be ready. */
  get over(): boolean {
    return this.state === 'failed' || this.state === 'ended'
  }

  /** Where the next run begins, within the piece. */
  get end(): number {
    return this.start + this.length
  }

  /** Begins to read into the memory. @returns where the bytes belong */
  begin(frames: Frames): readonly Uint8Array[] {
    this.state = 'reading'
    this.frames = frames
    this.places = frames.address(this.piece.index, this.start, this.length)
    return this.places
  }

  /** The messages of the blocks from `offset` (within the piece, at a border of blocks) to `end`. */
  messages(offset: number, end: number): Uint8Array {
    const frames = this.#frames()
    return frames.messages(offset - this.start, Math.min(end, this.end) - this.start)
  }

  /** Copies the bytes from `offset` (within the piece) on. @returns how many there were, or the target had room for */
  copy(target: Uint8Array, at: number, offset: number): number {
    this.#frames()
    let done = 0
    for (let from = offset - this.start; from < this.length && at + done < target.length;) {
      const within = from % blockBytes
      const part = this.places[(from - within) / blockBytes]?.subarray(within, within + target.length - at - done)
      if (part === undefined) break
      target.set(part, at + done)
      done += part.length
      from += part.length
    }
    return done
  }

  #frames(): Frames {
    if (this.frames === undefined || !this.ready) throw new Error('a run was to be sent before it was checked')
    return this.frames
  }
}

/** Bytes of blocks for which the memory of all of them has room. */
export function roomOf(runs: Iterable<Run>): number {
  let room = 0
  for (const run of runs) room += run.room
  return room
}
