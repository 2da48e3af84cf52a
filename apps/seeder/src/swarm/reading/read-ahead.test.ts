import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, rm, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ByteSource, Contents } from './contents.ts'
import { BadPieceError, ShortFileError } from '../errors.ts'
import { FileStore } from './file-store.ts'
import { runBytes } from './frames.ts'
import { OpenFiles } from './open-files.ts'
import { Proofs } from './proofs.ts'
import { ReadAhead } from './read-ahead.ts'

const pieceLength = 4 * runBytes
const fileSizes = [3 * pieceLength + 100_000, 1_000, pieceLength]
const size = fileSizes.reduce((sum, bytes) => sum + bytes, 0)

let folder: string
let paths: string[]
let bytes: Buffer
let now: number
let reads: number[]
let found: number[]
let failures: unknown[]
let isHere: boolean
/** Told of each reading before it is done. */
let beforeReading: () => void
let contents: Contents
let openFiles: OpenFiles

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-ahead-'))
  bytes = randomBytes(size)
  paths = fileSizes.map((_, index) => join(folder, String(index)))
  let at = 0
  for (const [index, path] of paths.entries()) {
    await writeFile(path, bytes.subarray(at, at + (fileSizes[index] ?? 0)))
    at += fileSizes[index] ?? 0
  }
  // Times of files are too coarse to tell of two changes within two seconds.
  now = Date.now() + 10_000
  ;[reads, found, failures, isHere, beforeReading] = [[], [], [], true, () => {}]
  openFiles = new OpenFiles()
  contents = contentsOf()
})

afterEach(async () => {
  await openFiles.close()
  await rm(folder, { recursive: true })
})

/** Counts the bytes of each reading. */
function contentsOf(): Contents {
  const store = new FileStore(pieceLength, {
    files: fileSizes.map((length, index) => ({ path: String(index), length, offset: 0 })),
    length: size,
    own: { openFiles, filePath: (index) => paths[index] ?? '', sizes: fileSizes, opened: () => {}, now: () => now },
  })
  const source: ByteSource = {
    get moment() {
      return store.moment
    },
    readInto: async (offset, targets) => {
      reads.push(targets.reduce((sum, target) => sum + target.length, 0))
      beforeReading()
      return await store.readInto(offset, targets)
    },
  }
  const pieceOf = (index: number): Buffer => bytes.subarray(index * pieceLength, (index + 1) * pieceLength)
  return {
    infoHash: 'aa'.repeat(20),
    source,
    proofs: new Proofs(Math.ceil(size / pieceLength), () => now),
    piece: (index) => ({
      index,
      offset: index * pieceLength,
      size: pieceOf(index).length,
      hash: createHash('sha1').update(pieceOf(index)).digest('hex'),
    }),
    bad: (index) => found.push(index),
    failed: (error) => failures.push(error),
    isHere: () => Promise.resolve(isHere),
  }
}

/** Every bit of a byte, with the file's times as they were but for that of the inode. */
async function flip(file: number, at: number): Promise<void> {
  const path = paths[file] ?? ''
  const { atime, mtime } = await stat(path)
  const handle = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  byte.writeUInt8(byte.readUInt8() ^ 255)
  await handle.write(byte, 0, 1, at)
  await handle.close()
  await utimes(path, atime, mtime)
}

const at = (piece: number, offset: number, length: number): Buffer =>
  bytes.subarray(piece * pieceLength + offset, piece * pieceLength + offset + length)

async function expectRight(readAhead: ReadAhead, piece: number, offset: number, length = 1_000): Promise<void> {
  expect(at(piece, offset, length).equals(await readAhead.read(contents, piece, offset, length))).toBe(true)
}

test('a large piece is read whole before a byte of it is given, and then kept as far as there is room', async () => {
  const readAhead = new ReadAhead(8 * runBytes)
  await expectRight(readAhead, 1, 3 * runBytes)
  expect(reads).toEqual([runBytes, runBytes, runBytes, runBytes])
  await expectRight(readAhead, 1, 5, 3 * runBytes)
  expect(reads).toHaveLength(4)
})

test('a piece found right is read again in parts, until a minute is over or its files changed', async () => {
  const readAhead = new ReadAhead(1)
  // The first look at a file is all that there is to compare with later ones.
  await expectRight(readAhead, 0, 0)
  await expectRight(readAhead, 1, 0)
  reads = []
  for (const offset of [3 * runBytes, 0, 2 * runBytes]) await expectRight(readAhead, 1, offset)
  // One of them may be what memory there is for.
  expect(reads.length).toBeLessThanOrEqual(3)
  now += 61_000
  reads = []
  await expectRight(readAhead, 1, runBytes)
  expect(reads.slice(0, 4)).toEqual([runBytes, runBytes, runBytes, runBytes])
  await flip(0, pieceLength + 2 * runBytes)
  await expect(readAhead.read(contents, 1, 0, 10)).rejects.toThrow(BadPieceError)
  expect(found).toEqual([1])
})

test('of a file that changed a moment ago nothing is believed', async () => {
  now = Date.now()
  const readAhead = new ReadAhead(1)
  await expectRight(readAhead, 0, 0)
  await expectRight(readAhead, 1, 0)
  reads = []
  await expectRight(readAhead, 1, runBytes)
  expect(reads).toHaveLength(4)
})

test.each([
  ['in the first file', 0, 3 * pieceLength + 10],
  ['in the small file between', 1, 500],
  ['in the last file', 2, 5],
])('a piece over three files is checked whole, when one changed %s', async (_where, file, offset) => {
  const readAhead = new ReadAhead(1)
  await expectRight(readAhead, 0, 0)
  await expectRight(readAhead, 4, 0)
  for (let round = 0; round < 2; round++) await expectRight(readAhead, 3, 90_000, 20_000)
  await flip(file, offset)
  await expect(readAhead.read(contents, 3, 0, 10)).rejects.toThrow(BadPieceError)
  await expectRight(readAhead, 0, 7)
  expect(found).toEqual([3])
})

test('many who ask for different parts of one piece at a time cause one reading of it', async () => {
  const readAhead = new ReadAhead(8 * runBytes)
  await Promise.all([0, 1, 2, 3].map((run) => expectRight(readAhead, 2, run * runBytes)))
  expect(reads).toEqual([runBytes, runBytes, runBytes, runBytes])
})

test('with room for one run, many parts of many pieces at a time are all right', async () => {
  const readAhead = new ReadAhead(1)
  const places = Array.from({ length: 64 }, (_, n) => [n % 4, ((n * 7) % 15) * 130_000] as const)
  await Promise.all(places.map(([piece, offset]) => expectRight(readAhead, piece, offset, 20_000)))
  await flip(0, pieceLength)
  const after = await Promise.allSettled(
    places.map(async ([piece, offset]) => {
      const right = at(piece, offset, 20_000)
      return right.equals(await readAhead.read(contents, piece, offset, 20_000))
    }),
  )
  const wrong = after.filter((result) => result.status === 'fulfilled' && !result.value)
  const refused = after.filter((result) => result.status === 'rejected')
  expect([wrong.length, refused.length]).toEqual([0, 16])
})

test('a file cut short or gone is told, and is no wrong piece', async () => {
  const readAhead = new ReadAhead()
  await truncate(paths[2] ?? '', 10)
  await expect(readAhead.read(contents, 4, 0, 10)).rejects.toThrow(ShortFileError)
  await unlink(paths[0] ?? '')
  await expect(readAhead.read(contents, 0, 0, 10)).rejects.toThrow('ENOENT')
  expect(found).toEqual([])
  expect(failures).toHaveLength(2)
})

test('a check of a piece leaves nothing behind where others were read for peers', async () => {
  const readAhead = new ReadAhead(4 * runBytes)
  await expectRight(readAhead, 0, 0, pieceLength)
  for (const piece of [1, 2]) await readAhead.check(contents, piece)
  reads = []
  await readAhead.check(contents, 1)
  expect(reads).toHaveLength(4)
})

describe('bytes that cannot be read', () => {
  const failing = (times: number) => {
    let left = times
    beforeReading = () => {
      if (left-- > 0) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    }
  }

  test('are read once more, and nothing is told when that goes well', async () => {
    failing(1)
    await expectRight(new ReadAhead(), 1, runBytes)
    expect([found, failures]).toEqual([[], []])
  })

  test('are a wrong piece, while the disk is there', async () => {
    failing(2)
    await expect(new ReadAhead().read(contents, 1, 0, 10)).rejects.toThrow(BadPieceError)
    expect([found, failures]).toEqual([[1], []])
  })

  test('are no wrong piece when the disk was pulled out, and are read again when it is back', async () => {
    isHere = false
    failing(2)
    const readAhead = new ReadAhead()
    await expect(readAhead.read(contents, 1, 0, 10)).rejects.toThrow('EIO')
    expect([found, failures]).toEqual([[], [expect.objectContaining({ code: 'EIO' })]])
    await expectRight(readAhead, 1, 0)
  })
})
