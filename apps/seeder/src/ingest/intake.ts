import { mostBytesOf, payloadSizeOf } from '@eldernode/core'
import { type Staging, StagingMismatchError } from '../library/index.ts'
import { abortable } from './abortable.ts'
import { EmptyFileError, EmptyItemError, HashingFailedError, ItemTooLargeError } from './errors.ts'
import { linked, type Lying } from './lying.ts'
import type { HashJob } from './hash-workers.ts'
import { Slots } from './memory.ts'
import type { MemoryBudget, Slot } from './memory.ts'
import { ItemPaths } from './names.ts'
import type { IncomingFile, Sealing } from './port.ts'
import { readInto } from './reading.ts'
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
  /** Encrypts; its job hashes the plaintext, and is told each file. */
  sealing: { port: Sealing; job: HashJob } | undefined
}

export interface TakenFile {
  path: string
  size: number
  /** Bytes on disk: more than `size` for an age file. */
  stored: number
}

/** The one pass: each byte is copied once into shared memory, and hashed and written from there. */
export class Intake {
  readonly #parts: IntakeParts
  readonly #slots: Slots
  readonly #paths = new ItemPaths()
  #file: StagedFile | undefined
  #slot: Slot | undefined
  #filled = 0
  /** Of the age file being written. */
  #headBytes = 0
  #sealer: HashJob | undefined
  /** Stretches that are being encrypted. */
  #sealing = 0
  #wake: (() => void) | undefined
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
    for await (const { path, bytes, lies } of abortable(files, signal)) {
      this.#paths.add(path)
      const adopted = lies && (await this.#adopt(path, lies, signal))
      this.files.push(adopted ?? (await this.#readFile(path, abortable(bytes, signal), this.#parts.sealing)))
    }
    if (this.files.length === 0) throw new EmptyItemError()
  }

  /** Stores one more file, which is none of the item's own, encrypted by a job of its own. @returns its bytes on disk */
  async append(bytes: Uint8Array, sealing: IntakeParts['sealing']): Promise<number> {
    const { stored } = await this.#readFile('', [bytes], sealing)
    return stored
  }

  /** Waits for writes under way and closes the file. Safe to call twice. */
  async close(): Promise<void> {
    const file = this.#file
    if (this.#slot !== undefined) this.#slots.give(this.#slot)
    this.#slot = undefined
    await this.#allSealed()
    this.#file = undefined
    await file?.close()
  }

  /** Hashes a file where it lies. @returns undefined when it has to be copied */
  async #adopt(path: string, lies: Lying, signal: AbortSignal | undefined): Promise<TakenFile | undefined> {
    const { staging, job, budget, maxBytes, sealing } = this.#parts
    const { size } = lies
    if (sealing !== undefined || size === 0 || this.size + size > maxBytes) return undefined
    const place = staging.filePath(this.files.length)
    if (!(await linked(lies, place))) return undefined
    staging.shared = true
    const read = await readInto(job, place, budget, signal)
    if (read !== size) throw new StagingMismatchError(path, `has ${read} bytes, not ${size}`)
    job.endFile(path)
    this.size += size
    this.stored += size
    return { path, size, stored: size }
  }

  async #readFile(
    path: string,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    sealing: IntakeParts['sealing'],
  ): Promise<TakenFile> {
    const { staging, job, disposable } = this.#parts
    const before = this.size
    const onError = (error: unknown) => (this.#failure ??= { error })
    this.#file = await StagedFile.create(staging.filePath(this.files.length), onError)
    this.#sealer = sealing?.job
    if (sealing !== undefined) await this.#begin(sealing)
    for await (const chunk of chunks) {
      await this.#read(chunk, this.size - before)
      if (disposable) dispose(chunk)
    }
    const size = this.size - before
    if (size === 0) throw new EmptyFileError(path)
    this.#flush(true)
    await this.#allSealed()
    sealing?.job.endFile(path)
    job.endFile(path)
    await this.close()
    if (this.#failure !== undefined) throw this.#failure.error
    const stored = this.#storedBytes(size)
    this.stored += stored
    return { path, size, stored }
  }

  /** Writes and hashes what an age file begins with. */
  async #begin({ port, job }: NonNullable<IntakeParts['sealing']>): Promise<void> {
    const { head, key } = await port.begin()
    job.seal(key)
    this.#headBytes = head.length
    const memory = new SharedArrayBuffer(head.length)
    new Uint8Array(memory).set(head)
    this.#file?.append(head, () => undefined)
    this.#parts.job.update(memory, head.length, () => undefined)
  }

  /** @param position of the chunk in its file */
  async #read(chunk: Uint8Array, position: number): Promise<void> {
    const { expectedSize, maxBytes, pieceLength, job } = this.#parts
    if (this.size + chunk.length > maxBytes) throw new ItemTooLargeError(maxBytes)
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
    return this.#sealer === undefined ? size : this.#headBytes + payloadSizeOf(size)
  }

  #flush(last: boolean): void {
    const [slot, length] = [this.#slot, this.#filled]
    if (slot === undefined) return
    this.#slot = undefined
    this.#filled = 0
    if (this.#sealer === undefined) this.#store(slot, slot.bytes.subarray(0, length))
    else this.#seal(this.#sealer, slot, length, last)
  }

  /** Hashes and writes the first bytes of a slot. */
  #store(slot: Slot, bytes: Uint8Array): void {
    let uses = 2
    const used = () => {
      if (--uses === 0) this.#slots.give(slot)
    }
    this.#file?.append(bytes, used)
    this.#parts.job.update(slot.memory, bytes.length, used)
  }

  #seal(job: HashJob, slot: Slot, length: number, last: boolean): void {
    const store = (sealed: boolean) => {
      try {
        // Plaintext must not reach the disk, whatever became of the cipher.
        if (!sealed) this.#failure ??= { error: new HashingFailedError() }
        if (this.#failure !== undefined) this.#slots.give(slot)
        else this.#store(slot, new Uint8Array(slot.memory, 0, payloadSizeOf(length)))
      } catch (error) {
        this.#failure ??= { error }
      }
      this.#sealing--
      if (this.#sealing === 0) this.#wake?.()
    }
    this.#sealing++
    job.update(slot.memory, length, store, last)
  }

  /** Until nothing is being encrypted any more, and all that was is known to the hash job. */
  async #allSealed(): Promise<void> {
    while (this.#sealing > 0) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

/** Frees the memory of a chunk that is all of its buffer; one that shares it, with the pool say, is left alone. */
function dispose(chunk: Uint8Array): void {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0)
}
