import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { dirname } from 'node:path'

/** The name of the file, in the tracker's folder. */
export const listFile = 'listed'

/** What the network lists and denies: infohashes of five words each, one after the other. */
export interface Lists {
  live: Int32Array
  denied: Int32Array
}

const magic = Buffer.from('eldernode list 1')
const headBytes = magic.length + 8
const digestBytes = 32
const infoHashBytes = 20

/**
 * The last list that was told, over restarts: `magic`, the numbers of live and of denied infohashes (32 bits each), those,
 * and the SHA-256 of all before it. Integers are big-endian.
 *
 * @returns undefined when there is none, `damaged` also when it cannot be read: the network tells it all again
 */
export const readLists = (path: string): Lists | 'damaged' | undefined => {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : 'damaged'
  }
  if (bytes.length < headBytes + digestBytes || !bytes.subarray(0, magic.length).equals(magic)) return 'damaged'
  const live = bytes.readUInt32BE(magic.length)
  const denied = bytes.readUInt32BE(magic.length + 4)
  const end = headBytes + (live + denied) * infoHashBytes
  if (bytes.length !== end + digestBytes || !digestOf(bytes.subarray(0, end)).equals(bytes.subarray(end))) {
    return 'damaged'
  }
  const middle = headBytes + live * infoHashBytes
  return { live: wordsIn(bytes.subarray(headBytes, middle)), denied: wordsIn(bytes.subarray(middle, end)) }
}

/** Durable and whole, or as it was before. */
export const writeLists = (path: string, { live, denied }: Lists): void => {
  const head = Buffer.alloc(headBytes)
  magic.copy(head)
  head.writeUInt32BE(live.length / 5, magic.length)
  head.writeUInt32BE(denied.length / 5, magic.length + 4)
  const content = Buffer.concat([head, bytesOf(live), bytesOf(denied)])
  const partial = `${path}.partial`
  const file = openSync(partial, 'w', 0o600)
  try {
    writeFileSync(file, content)
    writeFileSync(file, digestOf(content))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(partial, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

const digestOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

const wordsIn = (bytes: Buffer): Int32Array => {
  // Copied: a view would hang on where the file begins in memory.
  const copy = Uint8Array.prototype.slice.call(bytes)
  return swapped(copy)
}

const swapped = (bytes: Uint8Array<ArrayBuffer>): Int32Array => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (endianness() === 'LE') buffer.swap32()
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}

const bytesOf = (words: Int32Array): Buffer => {
  const copy = Buffer.from(new Uint8Array(words.buffer, words.byteOffset, words.byteLength))
  return endianness() === 'LE' ? copy.swap32() : copy
}
