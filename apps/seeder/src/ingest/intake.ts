import { mostBytesOf, payloadSizeOf } from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import { abortable } from './abortable.ts'
import { EmptyFileError, EmptyItemError, HashingFailedError, ItemTooLargeError } from './errors.ts'
import type { HashJob } from './hash-workers.ts'
import { mediaTypeOf, sniffedBytes } from './media-type.ts'
import { Slots } from './memory.ts'
import type { MemoryBudget, Slot } from './memory.ts'
import { ItemPaths } from './names.ts'
import type { IncomingFile, Sealing } from './port.ts'
import { StagedFile } from './staged-file.ts'

/** Up to here an upload of unknown size may be a small one and gets little memory. */
const littleUntil = 1024 * 1024

export interface IntakeParts {
  staging: Staging
  job: HashJob
  budget: MemoryBudget
  /** What the job makes SHA-1 pieces of; they are dropped once there are too many bytes for it. */
  pieceLength: number
  expectedSize: number
  maxBytes: number
  /** Whether chunks may be detached once read. */
  disposable: boolean
  sealing: Sealing | undefined
}

export interface TakenFile {
  path: string
  size: number
  /** Bytes on disk: more than `size` for an age file. */
  stored: number
  /** Only of what was encrypted: the hash job sees no plaintext type. */
  type?: string
}

/** The one pass: each byte is copied once into shared memory, and hashed and written from there. */
export class Intake {
  readonly #parts: IntakeParts
  readonly #slots: Slots
  readonly #paths = new ItemPaths()
  #file: StagedFile | undefined
  #slot: Slot | undefined
  #filled = 0
  /** The first bytes of a file that is encrypted, from which its type is found. */
  #head = Buffer.alloc(0)
  /** Of the age file being written. */
  #headBytes = 0
  /** Stretches that are being encrypted and not handed to the disk yet. */
  #unwritten = 0
  #written: (() => void) | undefined
  #failure: { error: unknown } | undefined
  #piecesDropped = false
  readonly files: TakenFile[] = []
  /** Bytes read so far, of all files. */
  size = 0
  /** Bytes on disk of the files that are whole. */
  stored = 0

  constructor(parts: IntakeParts) {
    this.#parts = parts
    this.#slots = new Slots(parts.budget)
  }

  /** Reads every file; when this resolves all are written whole and known to the hash job. */
  async readAll(files: AsyncIterable<IncomingFile>, signal: AbortSignal | undefined): Promise<void> {
    for await (const { path, bytes } of abortable(files, signal)) {
      this.#paths.add(path)
      this.files.push(await this.#readFile(path, abortable(bytes, signal)))
    }
    if (this.files.length === 0) throw new EmptyItemError()
  }

  /** Encrypts and stores one more file, which is none of the item's own. @returns its bytes on disk */
  async append(bytes: Uint8Array): Promise<number> {
    const { stored } = await this.#readFile('', [bytes])
    return stored
  }

  /** Waits for writes under way and closes the file. Safe to call twice. */
  async close(): Promise<void> {
    const file = this.#file
    if (this.#slot !== undefined) this.#slots.give(this.#slot)
    this.#slot = undefined
    if (this.#unwritten > 0) await new Promise<void>((resolve) => (this.#written = resolve))
    this.#file = undefined
    await file?.close()
  }

  async #readFile(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<TakenFile> {
    const { staging, sealing, job, disposable } = this.#parts
    const before = this.size
    const onError = (error: unknown) => (this.#failure ??= { error })
    this.#file = await StagedFile.create(staging.filePath(this.files.length), onError)
    if (sealing !== undefined) {
      const file = await sealing.begin()
      this.#headBytes = file.head.length
      job.seal(file)
      this.#file.append(file.head, () => undefined)
    }
    for await (const chunk of chunks) {
      await this.#read(chunk, this.size - before)
      if (disposable) dispose(chunk)
    }
    const size = this.size - before
    if (size === 0) throw new EmptyFileError(path)
    this.#flush(true)
    job.endFile(path)
    await this.close()
    if (this.#failure !== undefined) throw this.#failure.error
    const stored = this.#storedBytes(size)
    this.stored += stored
    if (sealing === undefined) return { path, size, stored }
    const type = await mediaTypeOf(this.#head, path)
    this.#head = Buffer.alloc(0)
    return { path, size, stored, type }
  }

  /** @param position of the chunk in its file */
  async #read(chunk: Uint8Array, position: number): Promise<void> {
    const { expectedSize, maxBytes, pieceLength, job, sealing } = this.#parts
    if (this.size + chunk.length > maxBytes) throw new ItemTooLargeError(maxBytes)
    if (sealing !== undefined && this.#head.length < sniffedBytes)
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, sniffedBytes - this.#head.length)])
    for (let from = 0; from < chunk.length;) {
      // Not as soon as it is full: whether it is the last of its file, the cipher has to know.
      if (this.#filled === this.#slot?.bytes.length) this.#flush(false)
      if (this.#slot === undefined) {
        this.#slot = await this.#slots.take(Math.max(expectedSize, this.size) < littleUntil)
        if (this.#failure !== undefined) throw this.#failure.error
      }
      const length = Math.min(chunk.length - from, this.#slot.bytes.length - this.#filled)
      this.#slot.bytes.set(chunk.subarray(from, from + length), this.#filled)
      this.#filled += length
      this.size += length
      from += length
    }
    const stored = this.stored + this.#storedBytes(position + chunk.length)
    if (stored > mostBytesOf(pieceLength) && !this.#piecesDropped) {
      this.#piecesDropped = true
      job.dropPieces()
    }
  }

  /** Of a file of so many bytes. */
  #storedBytes(size: number): number {
    return this.#parts.sealing === undefined ? size : this.#headBytes + payloadSizeOf(size)
  }

  #flush(last: boolean): void {
    const [slot, length, file] = [this.#slot, this.#filled, this.#file]
    if (slot === undefined) return
    this.#slot = undefined
    this.#filled = 0
    if (this.#parts.sealing !== undefined) return this.#seal(slot, length, last)
    let uses = 2
    const used = () => {
      if (--uses === 0) this.#slots.give(slot)
    }
    file?.append(slot.bytes.subarray(0, length), used)
    this.#parts.job.update(slot.memory, length, used)
  }

  #seal(slot: Slot, length: number, last: boolean): void {
    const end = () => {
      this.#slots.give(slot)
      this.#unwritten--
      if (this.#unwritten === 0) this.#written?.()
    }
    const write = (sealed: boolean) => {
      // Plaintext must not reach the disk, whatever became of the cipher.
      if (!sealed) this.#failure ??= { error: new HashingFailedError() }
      if (this.#failure === undefined) this.#file?.append(new Uint8Array(slot.memory, 0, payloadSizeOf(length)), end)
      else end()
    }
    this.#unwritten++
    this.#parts.job.update(slot.memory, length, write, last)
  }
}

/** Frees the memory of a chunk that is all of its buffer; one that shares it, with the pool say, is left alone. */
function dispose(chunk: Uint8Array): void {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0)
}
