import { type FileHandle, open } from 'node:fs/promises'
import {
  chunkBytes,
  fileKeyOf,
  headerLength,
  mostHeaderBytes,
  payloadKeyOf,
  payloadNonceBytes,
  plainSizeOf,
  SealBrokenError,
  tagBytes,
} from '@eldernode/core'
import { payloadCipher } from '../ingest/index.ts'

const sealedChunk = chunkBytes + tagBytes
const chunksAtOnce = 16

/** What reading an age file takes, once its header was opened. */
export interface Opening {
  key: Uint8Array
  /** Where its first chunk begins. */
  start: number
  /** Bytes of plaintext. */
  size: number
}

/**
 * Opens the header, and the last chunk: who cut the file or added to it cannot have made that, so its size is right.
 * @throws WrongIdentityError, SealBrokenError
 */
async function openingOf(file: FileHandle, identity: string): Promise<Opening> {
  const { size: stored } = await file.stat()
  const head = await readWhole(file, 0, Math.min(stored, mostHeaderBytes))
  const length = headerLength(head)
  const fileKey = await fileKeyOf(head.subarray(0, length), identity)
  const nonce = head.subarray(length, length + payloadNonceBytes)
  if (nonce.length < payloadNonceBytes) throw new SealBrokenError('was cut')
  const start = length + payloadNonceBytes
  const opening = { key: payloadKeyOf(fileKey, nonce), start, size: plainSizeOf(stored - start) }
  const last = lastChunk(opening.size)
  const sealed = await readWhole(file, start + last * sealedChunk, stored - start - last * sealedChunk)
  payloadCipher.open(opening.key, last, true, sealed)
  return opening
}

/** The plaintext of an age file on disk. Only the chunks that are asked for are read and decrypted. */
export class AgeFile {
  readonly #file: FileHandle
  readonly #opening: Opening

  constructor(file: FileHandle, opening: Opening) {
    this.#file = file
    this.#opening = opening
  }

  static async open(path: string, identity: string): Promise<AgeFile> {
    const file = await open(path, 'r')
    try {
      return new AgeFile(file, await openingOf(file, identity))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** One that was opened before. */
  static async reopen(path: string, opening: Opening): Promise<AgeFile> {
    return new AgeFile(await open(path, 'r'), opening)
  }

  get opening(): Opening {
    return this.#opening
  }

  get size(): number {
    return this.#opening.size
  }

  /**
   * Reads up to `length` bytes of plaintext from `position` on into `target`.
   * @returns how many; 0 at the end
   * @throws SealBrokenError
   */
  async read(target: Uint8Array, length: number, position: number): Promise<number> {
    const { key, start, size } = this.#opening
    const end = Math.min(size, position + Math.min(length, target.length))
    if (position >= end) return 0
    const first = Math.floor(position / chunkBytes)
    const last = Math.min(lastIn(end), first + chunksAtOnce - 1)
    const stop = Math.min((last + 1) * sealedChunk, size + (lastChunk(size) + 1) * tagBytes)
    const sealed = await readWhole(this.#file, start + first * sealedChunk, stop - first * sealedChunk)
    let written = 0
    for (let n = first; n <= last; n++) {
      const from = (n - first) * sealedChunk
      const plain = payloadCipher.open(key, n, n === lastChunk(size), sealed.subarray(from, from + sealedChunk))
      const chunkAt = n * chunkBytes
      const wanted = plain.subarray(Math.max(0, position - chunkAt), end - chunkAt)
      target.set(wanted, written)
      written += wanted.length
    }
    return written
  }

  /** All of it, in stretches of at most 1 MiB. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < this.size;) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(chunksAtOnce * chunkBytes, this.size - at))
      const length = await this.read(buffer, buffer.length, at)
      yield length === buffer.length ? buffer : buffer.subarray(0, length)
      at += length
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** The number of the last chunk of so many bytes of plaintext. */
function lastChunk(size: number): number {
  return Math.max(0, Math.ceil(size / chunkBytes) - 1)
}

function lastIn(end: number): number {
  return Math.ceil(end / chunkBytes) - 1
}

async function readWhole(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(buffer, at, length - at, position + at)
    if (bytesRead === 0) throw new SealBrokenError('was cut')
    at += bytesRead
  }
  return buffer
}
