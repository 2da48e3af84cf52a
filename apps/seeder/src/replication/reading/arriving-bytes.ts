import type { FileHandle } from 'node:fs/promises'
import type { ItemFile } from '@eldernode/core'
import type { Picks } from '../../swarm/index.ts'
import type { Use } from '../fetching/arrivals.ts'
import { StalledError } from '../errors.ts'
import type { ByteRange, RemoteBytes } from '../port.ts'

/** As much is asked for ahead of a reader; who leaves after a minute has not had a whole film fetched. */
const aheadBytes = 32 * 2 ** 20
const fewestAhead = 8
/** A piece may take so many times the wait for a byte. */
const longestWaits = 10

export interface ArrivingOptions {
  use: Use
  index: number
  file: ItemFile
  /** Where the file begins within the item. */
  offset: number
  ranges: readonly ByteRange[]
  /** Milliseconds in which something must arrive. */
  waitMs: number
  signal: AbortSignal
}

/** Bytes of a file that is on its way here, given as they arrive, those that are asked for first. */
export class ArrivingBytes implements RemoteBytes {
  /** What of the asked bytes was here already. */
  readonly found: 'all' | 'some' | 'none'
  readonly shared: boolean
  readonly #options: ArrivingOptions
  readonly #picks: Picks
  #handle: FileHandle | undefined
  #window: { first: number; last: number; end: () => void } | undefined

  private constructor(options: ArrivingOptions, picks: Picks) {
    this.#options = options
    this.#picks = picks
    this.shared = options.use.shared
    this.found = this.#countFound()
  }

  /**
   * Resolves when the first of the asked bytes are here. Leaves the use when that fails.
   * @throws TransferError and its kinds, FetchFailedError; the abort reason
   */
  static async open(options: ArrivingOptions): Promise<ArrivingBytes> {
    const { use, ranges, signal, waitMs } = options
    try {
      const picks = await within(use.arrival.picks, signal, waitMs, use.arrival.manifest.infoHash)
      const bytes = new ArrivingBytes(options, picks)
      try {
        const first = ranges[0]?.start ?? 0
        if (options.file.size > 0) await bytes.#arrived(first, 1)
        return bytes
      } catch (error) {
        bytes.#window?.end()
        throw error
      }
    } catch (error) {
      await use.leave()
      throw error
    }
  }

  /** As `FileHandle.read`; waits for what is not here yet. */
  async read(target: Buffer, length: number, position: number): Promise<number> {
    const { use, index, file, signal } = this.#options
    if (position >= file.size) return 0
    const there = await this.#arrived(position, Math.min(length, file.size - position))
    signal.throwIfAborted()
    // Nobody shall have a whole file that is not the one its name promises.
    if (this.#isWhole && position + there >= file.size) await use.arrival.sound(index, file)
    this.#handle ??= await use.arrival.open(index, file)
    const { bytesRead } = await this.#handle.read(target, 0, there, position)
    return bytesRead
  }

  async close(): Promise<void> {
    this.#window?.end()
    await this.#handle?.close()
    await this.#options.use.leave()
  }

  get #isWhole(): boolean {
    const [range, ...others] = this.#options.ranges
    return others.length === 0 && range?.start === 0 && range.end === this.#options.file.size
  }

  #countFound(): 'all' | 'some' | 'none' {
    let [here, missing] = [false, false]
    for (const { start, end } of this.#options.ranges) {
      for (let piece = this.#piece(start); start < end && piece <= this.#piece(end - 1); piece++) {
        if (this.#has(piece)) here = true
        else missing = true
      }
    }
    return missing ? (here ? 'some' : 'none') : 'all'
  }

  /** Of the bytes from `position` on, how many are here: one at least. */
  async #arrived(position: number, length: number): Promise<number> {
    const { pieceLength } = this.#options.use.arrival.manifest
    const piece = this.#piece(position)
    this.#ask(position)
    if (!this.#has(piece)) await this.#wait(piece)
    let end = piece + 1
    const last = this.#piece(position + length - 1)
    while (end <= last && this.#has(end)) end++
    return Math.min(length, end * pieceLength - this.#options.offset - position)
  }

  /** Keeps what is asked for ahead of the reader. */
  #ask(position: number): void {
    const { file, ranges, use } = this.#options
    const { pieceLength } = use.arrival.manifest
    const end = ranges.find((range) => range.start <= position && position < range.end)?.end ?? file.size
    const goal = this.#piece(end - 1)
    const here = this.#piece(position)
    const ahead = Math.max(fewestAhead, Math.ceil(aheadBytes / pieceLength))
    const before = this.#window
    if (before !== undefined && before.first <= here && here <= before.last) {
      if (before.last >= goal || before.last - here > ahead / 2) return
    }
    const last = Math.min(goal, here + ahead)
    this.#window = { first: here, last, end: use.arrival.isWhole ? () => undefined : this.#picks.want(here, last) }
    before?.end()
  }

  async #wait(piece: number): Promise<void> {
    const { use, waitMs, signal } = this.#options
    const { arrival } = use
    const tooLong = new AbortController()
    let seen = arrival.received
    let waits = 0
    const timer = setInterval(() => {
      if (arrival.received === seen || ++waits >= longestWaits) {
        tooLong.abort(new StalledError(arrival.manifest.infoHash, `nothing that is read for ${waitMs / 1000} s`))
      }
      seen = arrival.received
    }, waitMs)
    const either = AbortSignal.any([signal, tooLong.signal])
    try {
      while (!this.#has(piece)) await arrival.next(either)
    } finally {
      clearInterval(timer)
    }
  }

  #has(piece: number): boolean {
    return this.#options.use.arrival.isWhole || this.#picks.has(piece)
  }

  #piece(position: number): number {
    const { offset, use } = this.#options
    return Math.floor((offset + position) / use.arrival.manifest.pieceLength)
  }
}

/** @throws StalledError after `waitMs`; the abort reason; what the promise rejects with */
export async function within<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  waitMs: number,
  infoHash: string,
): Promise<T> {
  signal.throwIfAborted()
  const { promise: given, resolve, reject } = Promise.withResolvers<T>()
  const abort = (): void => reject(signal.reason)
  const timer = setTimeout(() => reject(new StalledError(infoHash, `nothing for ${waitMs / 1000} s`)), waitMs)
  signal.addEventListener('abort', abort, { once: true })
  promise.then(resolve, reject)
  try {
    return await given
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
