import { createHash } from 'node:crypto'
import type { Contents, Piece } from './contents.ts'
import { BadPieceError } from '../errors.ts'
import { Frames, runBytes } from './frames.ts'
import { Run } from './run.ts'
import { SpareFrames } from './spare-frames.ts'
import { Turnstile } from './turnstile.ts'

/** Bytes that are read, or wait for the rest of their piece, at a time. */
const mostReading = 32 * 1024 * 1024

/**
 * Reads disks in runs where peers ask for 16 KiB, and keeps the last ones for all peers of all items. Memory that no
 * socket needs any more is used again: fresh memory for each read costs more than the reading.
 *
 * Nothing is ready before the whole piece around it was found right by its SHA-1: from these very bytes, or from those
 * read up to a minute before, if none of its files changed since.
 */
export class ReadAhead {
  readonly #capacity: number
  readonly #runs = new Map<string, Run>()
  readonly #spare: SpareFrames
  readonly #checks = new Map<string, Promise<void>>()
  readonly #turnstile = new Turnstile(mostReading)
  /** Of the memory of all runs. */
  #bytes = 0

  /**
   * @param capacity bytes kept for peers, one run at least, and as many that wait to be used again; what is being read
   * or sent comes on top
   */
  constructor(capacity = 32 * 1024 * 1024) {
    this.#capacity = Math.max(capacity, runBytes)
    this.#spare = new SpareFrames(this.#capacity)
  }

  /** The run of a block; its memory is the caller's until `release`. */
  hold(contents: Contents, index: number, offset: number): Run {
    const start = offset - (offset % runBytes)
    const name = nameOf(contents, index, start)
    const known = this.#runs.get(name)
    const run = known ?? new Run(contents.piece(index), start)
    run.users++
    run.asked = true
    if (known !== undefined) this.#runs.delete(name)
    else this.#bytes += run.room
    this.#runs.set(name, run)
    if (!run.ready && !run.waitedFor) {
      run.waitedFor = true
      run.reading = this.#load(run, contents)
      // Everyone who needs it waits for `reading` himself; without any, a failure concerns nobody.
      run.reading.catch(() => this.#drop(name, run))
      this.#trim()
    }
    return run
  }

  release(run: Run): void {
    run.users--
    this.#reuse(run)
  }

  /** Bytes of one piece, wherever they begin and end. */
  async read(contents: Contents, index: number, offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(length)
    for (let done = 0; done < length;) {
      const run = this.hold(contents, index, offset + done)
      try {
        await run.reading
        if (run.ready) done += run.copy(bytes, done, offset + done)
      } finally {
        this.release(run)
      }
    }
    return bytes
  }

  /** Reads a piece from the disk, whatever is known of it. @throws BadPieceError; the file system's error */
  async check(contents: Contents, index: number): Promise<void> {
    const piece = contents.piece(index)
    await this.#check(contents, piece)
    // What no peer asked for makes no room for itself among what they did ask for.
    for (let start = 0; start < piece.size; start += runBytes) {
      const name = nameOf(contents, index, start)
      const run = this.#runs.get(name)
      if (run !== undefined && !run.asked) this.#drop(name, run)
    }
  }

  forget(infoHash: string): void {
    for (const [name, run] of this.#runs) {
      if (name.startsWith(infoHash)) this.#drop(name, run)
    }
  }

  async #load(run: Run, contents: Contents): Promise<void> {
    for (;;) {
      if (await this.#readProven(run, contents)) return
      // A check had it meanwhile: who waited asks again.
      if (run.over) return
      await this.#check(contents, run.piece)
      // Nobody held it, and others needed the room: who waited asks again.
      if (run.ready || run.over) return
    }
  }

  /** Reads a run of a piece that was checked lately. @returns whether it is ready */
  async #readProven(run: Run, { source, proofs }: Contents): Promise<boolean> {
    if (proofs.of(run.piece.index) === undefined || run.state !== 'empty') return run.ready
    await this.#turnstile.pass(run.room, async () => {
      const proof = proofs.of(run.piece.index)
      if (proof === undefined || run.state !== 'empty') return
      const since = await this.#fill(run, source)
      run.state = since <= proof ? 'ready' : 'empty'
    })
    return run.ready
  }

  async #fill(run: Run, source: Contents['source']): Promise<number> {
    const read = (frames: Frames) => source.readInto(run.piece.offset + run.start, run.begin(frames))
    try {
      return await read(run.frames ?? this.#spare.take(run)).catch((error: unknown) => {
        // Once more, into other memory: the disk may write into this one still.
        if (isUnreadable(error)) return read(new Frames(run.length))
        throw error
      })
    } catch (error) {
      run.state = 'failed'
      throw error
    }
  }

  /** One check of a piece at a time: who comes meanwhile waits for its end. */
  async #check(contents: Contents, piece: Piece): Promise<void> {
    const name = nameOf(contents, piece.index)
    const known = this.#checks.get(name)
    if (known !== undefined) return await known
    const check = this.#turnstile
      .pass(piece.size, () => this.#readWhole(contents, piece))
      .finally(() => this.#checks.delete(name))
    this.#checks.set(name, check)
    await check
  }

  async #readWhole(contents: Contents, piece: Piece): Promise<void> {
    const { source, proofs } = contents
    const runs: Run[] = []
    const moment = source.moment
    proofs.drop(piece.index)
    try {
      let since = 0
      const sha1 = createHash('sha1')
      for (let start = 0; start < piece.size; start += runBytes) {
        const run = this.#toFill(contents, piece, start)
        runs.push(run)
        since = Math.max(since, await this.#fill(run, source))
        for (const place of run.places) sha1.update(place)
        run.state = 'filled'
        this.#trim()
      }
      if (sha1.digest('hex') !== piece.hash) throw new BadPieceError(contents.infoHash, piece.index)
      proofs.add(piece.index, since <= moment ? moment : 0)
    } catch (error) {
      for (const run of runs) {
        run.state = 'failed'
        this.#drop(nameOf(contents, piece.index, run.start), run)
      }
      throw await told(error, contents, piece)
    }
    for (const run of runs) {
      if (run.state === 'filled') run.state = 'ready'
      this.#reuse(run)
    }
  }

  /** The run that waits for a check of its piece, or another one: what is read or sent already is not written again. */
  #toFill(contents: Contents, piece: Piece, start: number): Run {
    const name = nameOf(contents, piece.index, start)
    const known = this.#runs.get(name)
    if (known?.state === 'empty') return known
    if (known !== undefined) this.#drop(name, known)
    const run = new Run(piece, start)
    this.#runs.set(name, run)
    this.#bytes += run.room
    return run
  }

  #trim(): void {
    for (const [name, run] of this.#runs) {
      if (this.#bytes <= this.#capacity) return
      if (run.state === 'ready' || run.state === 'filled') this.#drop(name, run)
    }
  }

  #drop(name: string, run: Run): void {
    if (this.#runs.get(name) === run && this.#runs.delete(name)) this.#bytes -= run.room
    run.cached = false
    this.#reuse(run)
  }

  #reuse(run: Run): void {
    if (run.cached || run.users > 0 || run.frames === undefined) return
    if (run.state !== 'ready' && run.state !== 'filled') return
    run.state = 'ended'
    this.#spare.give(run.frames)
    run.frames = undefined
  }
}

function nameOf({ infoHash }: Contents, piece: number, start?: number): string {
  return start === undefined ? `${infoHash} ${piece}` : `${infoHash} ${piece} ${start}`
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EIO'
}

/**
 * A sector that cannot be read is as bad as a wrong one, and mended in the same way: by writing it anew. A disk that was
 * pulled out cannot be read either, and speaks of no piece.
 */
async function told(error: unknown, contents: Contents, { index }: Piece): Promise<unknown> {
  const bad =
    isUnreadable(error) && (await contents.isHere())
      ? new BadPieceError(contents.infoHash, index, { cause: error })
      : error
  if (bad instanceof BadPieceError) contents.bad(index)
  else contents.failed(bad)
  return bad
}
