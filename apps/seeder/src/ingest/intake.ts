import { mostBytesOf } from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import { abortable } from './abortable.ts'
import { EmptyFileError, EmptyItemError, ItemTooLargeError } from './errors.ts'
import type { HashJob } from './hash-workers.ts'
import { Slots } from './memory.ts'
import type { MemoryBudget, Slot } from './memory.ts'
import { ItemPaths } from './names.ts'
import type { IncomingFile } from './port.ts'
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
}

/** The one pass: each byte is copied once into shared memory, and hashed and written from there. */
export class Intake {
  readonly #parts: IntakeParts
  readonly #slots: Slots
  readonly #paths = new ItemPaths()
  #file: StagedFile | undefined
  #slot: Slot | undefined
  #filled = 0
  #failure: { error: unknown } | undefined
  #piecesDropped = false
  readonly files: { path: string; size: number }[] = []
  /** Bytes read so far, of all files. */
  size = 0

  constructor(parts: IntakeParts) {
    this.#parts = parts
    this.#slots = new Slots(parts.budget)
  }

  /** Reads every file; when this resolves all are written whole and known to the hash job. */
  async readAll(files: AsyncIterable<IncomingFile>, signal: AbortSignal | undefined): Promise<void> {
    for await (const { path, bytes } of abortable(files, signal)) {
      this.#paths.add(path)
      const before = this.size
      const onError = (error: unknown) => (this.#failure ??= { error })
      this.#file = await StagedFile.create(this.#parts.staging.filePath(this.files.length), onError)
      for await (const chunk of abortable(bytes, signal)) {
        await this.#read(chunk)
        if (this.#parts.disposable) dispose(chunk)
      }
      if (this.size === before) throw new EmptyFileError(path)
      this.#flush()
      this.#parts.job.endFile(path)
      await this.close()
      if (this.#failure !== undefined) throw this.#failure.error
      this.files.push({ path, size: this.size - before })
    }
    if (this.files.length === 0) throw new EmptyItemError()
  }

  /** Waits for writes under way and closes the file. Safe to call twice. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (this.#slot !== undefined) this.#slots.give(this.#slot)
    this.#slot = undefined
    await file?.close()
  }

  async #read(chunk: Uint8Array): Promise<void> {
    const { expectedSize, maxBytes, pieceLength, job } = this.#parts
    if (this.size + chunk.length > maxBytes) throw new ItemTooLargeError(maxBytes)
    for (let from = 0; from < chunk.length;) {
      if (this.#slot === undefined) {
        this.#slot = await this.#slots.take(Math.max(expectedSize, this.size) < littleUntil)
        if (this.#failure !== undefined) throw this.#failure.error
      }
      const length = Math.min(chunk.length - from, this.#slot.bytes.length - this.#filled)
      this.#slot.bytes.set(chunk.subarray(from, from + length), this.#filled)
      this.#filled += length
      this.size += length
      from += length
      if (this.#filled === this.#slot.bytes.length) this.#flush()
    }
    if (this.size > mostBytesOf(pieceLength) && !this.#piecesDropped) {
      this.#piecesDropped = true
      job.dropPieces()
    }
  }

  #flush(): void {
    const [slot, length] = [this.#slot, this.#filled]
    if (slot === undefined) return
    this.#slot = undefined
    this.#filled = 0
    let uses = 2
    const used = () => {
      if (--uses === 0) this.#slots.give(slot)
    }
    this.#file?.append(slot.bytes.subarray(0, length), used)
    this.#parts.job.update(slot.memory, length, used)
  }
}

/** Frees the memory of a chunk that is all of its buffer; one that shares it, with the pool say, is left alone. */
function dispose(chunk: Uint8Array): void {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0)
}
