import { fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { ChunkStore, StoreOptions } from 'webtorrent'
import { ShortFileError } from '../errors.ts'
import type { OpenFiles } from './open-files.ts'
import { spans } from './spans.ts'
import type { Extent } from './spans.ts'

export interface FileStoreOptions {
  openFiles: OpenFiles
  /** The absolute path of file number `index` of the torrent. */
  filePath(index: number): string
  /** Bytes of each file, when they are not those that the engine knows. */
  sizes?: readonly number[]
  /** Told once, when the torrent's files are known. */
  opened(store: FileStore): void
  /** The files are there, whole but for pieces that are wrong. What cannot be written is told here, not to the engine. */
  unwritable?(error: Error): void
  /** Milliseconds since 1970. */
  now(): number
}

/** How a file looked when it was last read, and the moment when it was first seen like that. */
interface Look {
  inode: bigint
  size: bigint
  modified: bigint
  changed: bigint
  moment: number
}

/** Times of files may be this coarse: a change so soon after another one may leave no trace in them. In milliseconds. */
const coarsestTime = 2_000

type Done = (error?: Error | null) => void
type ChunkDone = (error: Error | null, bytes?: Uint8Array) => void

/**
 * abstract-chunk-store over files at given absolute paths, pieces spanning files. It never answers with fewer bytes
 * than asked for, and never with bytes of another place: a range outside the torrent or a short file is an error.
 */
export class FileStore implements ChunkStore {
  readonly chunkLength: number
  readonly size: number
  readonly #files: Extent[]
  readonly #paths: string[]
  readonly #openFiles: OpenFiles
  readonly #unwritable: ((error: Error) => void) | undefined
  readonly #now: () => number
  readonly #looks: Look[] = []
  #moment = 0

  constructor(chunkLength: number, options: StoreOptions<FileStoreOptions>) {
    this.chunkLength = chunkLength
    this.size = options.length
    const sizes = options.own.sizes ?? options.files.map((file) => file.length)
    let offset = 0
    this.#files = sizes.map((size) => ({ offset: (offset += size) - size, size }))
    this.#paths = sizes.map((_, index) => options.own.filePath(index))
    this.#openFiles = options.own.openFiles
    this.#unwritable = options.own.unwritable
    this.#now = options.own.now
    options.own.opened(this)
  }

  /** Bytes `offset` to `offset + length` of the torrent. @throws RangeError, ShortFileError, or the file system's error */
  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#check(offset, length)
    const bytes = Buffer.allocUnsafeSlow(length)
    await this.readInto(offset, [bytes])
    return bytes
  }

  /** Rises with each change that is seen of a file. */
  get moment(): number {
    return this.#moment
  }

  /**
   * Fills the targets, one after the other, with the bytes from `offset` on. Fails as `read` does.
   * @returns the moment since when none of the files read from changed; infinite when that cannot be told
   */
  async readInto(offset: number, targets: readonly Uint8Array[]): Promise<number> {
    const length = targets.reduce((sum, target) => sum + target.length, 0)
    this.#check(offset, length)
    const since = await Promise.all(
      spans(this.#files, offset, length).map((span) => {
        const path = this.#path(span.file)
        const parts = span.length === length ? targets : cut(targets, span.at, span.length)
        return this.#openFiles.use(path, 'read', async (handle) => {
          await readFully(handle, parts, span.position, path)
          return this.#unchangedSince(span.file, handle)
        })
      }),
    )
    return Math.max(...since)
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#check(offset, bytes.length)
    await Promise.all(
      spans(this.#files, offset, bytes.length).map((span) => {
        const source = bytes.subarray(span.at, span.at + span.length)
        const mending = this.#unwritable !== undefined
        return this.#openFiles.use(this.#path(span.file), mending ? 'mend' : 'write', async (handle) => {
          await writeFully(handle, source, span.position)
          if (mending) await handle.datasync()
        })
      }),
    )
  }

  /** Files of no bytes belong to no piece, so nothing else would make them. */
  async createEmptyFiles(): Promise<void> {
    for (const [index, file] of this.#files.entries()) {
      if (file.size === 0) await this.#openFiles.use(this.#path(index), 'write', async () => {})
    }
  }

  get(index: number, options: { offset?: number; length?: number } | null | ChunkDone, done?: ChunkDone): void {
    const answer = typeof options === 'function' ? options : done
    if (answer === undefined) throw new TypeError('get needs a callback')
    const asked = typeof options === 'function' ? null : options
    const start = index * this.chunkLength
    const offset = asked?.offset ?? 0
    const length = asked?.length ?? Math.min(this.chunkLength, this.size - start) - offset
    this.read(start + offset, length).then(
      (bytes) => answer(null, bytes),
      (error: unknown) => answer(error as Error),
    )
  }

  put(index: number, bytes: Uint8Array, done: Done): void {
    // The engine ends a torrent whose piece it cannot store: the other pieces of this one are whole.
    this.write(index * this.chunkLength, bytes).then(() => done(null), this.#unwritable ?? done)
  }

  close(done: Done): void {
    this.#openFiles.forget(this.#paths).then(() => done(null), done)
  }

  /** The files belong to the caller and stay. */
  destroy(done: Done): void {
    this.close(done)
  }

  #check(offset: number, length: number): void {
    if (!(Number.isSafeInteger(offset) && offset >= 0 && length > 0 && offset + length <= this.size)) {
      throw new RangeError(`bytes ${offset} to ${offset + length} are not in a torrent of ${this.size} bytes`)
    }
  }

  #unchangedSince(file: number, handle: FileHandle): number {
    // Of an open file this asks no disk, and takes less time than handing it to another thread.
    const { ino, size, mtimeNs, ctimeNs, ctimeMs } = fstatSync(handle.fd, { bigint: true })
    const known = this.#looks[file]
    let moment = known?.moment
    if (known?.inode !== ino || known.size !== size || known.modified !== mtimeNs || known.changed !== ctimeNs) {
      moment = ++this.#moment
      this.#looks[file] = { inode: ino, size, modified: mtimeNs, changed: ctimeNs, moment }
    }
    return moment === undefined || this.#now() - Number(ctimeMs) < coarsestTime ? Infinity : moment
  }

  #path(index: number): string {
    const path = this.#paths[index]
    if (path === undefined) throw new RangeError(`the torrent has no file ${index}`)
    return path
  }
}

async function readFully(
  handle: FileHandle,
  targets: readonly Uint8Array[],
  position: number,
  path: string,
): Promise<void> {
  for (let left = targets, at = position; left.length > 0;) {
    const { bytesRead } = await handle.readv(left, at)
    if (bytesRead === 0) throw new ShortFileError(path)
    at += bytesRead
    left = cut(left, bytesRead)
  }
}

/** The parts of consecutive buffers that hold `length` bytes from byte `from` on. */
function cut(buffers: readonly Uint8Array[], from: number, length = Infinity): Uint8Array[] {
  const parts: Uint8Array[] = []
  let start = 0
  for (const buffer of buffers) {
    const part = buffer.subarray(Math.max(from - start, 0), Math.max(from + length - start, 0))
    if (part.length > 0) parts.push(part)
    start += buffer.length
  }
  return parts
}

async function writeFully(handle: FileHandle, source: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < source.length;) {
    const { bytesWritten } = await handle.write(source, done, source.length - done, position + done)
    done += bytesWritten
  }
}
