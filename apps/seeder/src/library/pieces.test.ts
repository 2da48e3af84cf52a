import { readFile, rm, writeFile } from 'node:fs/promises'
import { InvalidInputError } from '@eldernode/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, put, sha256, tempFolder } from './fixtures/item.ts'
import { openLibrary, UnknownItemError } from './index.ts'
import type { Library } from './index.ts'
import { packTimes, unpackTimes } from './pieces.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const now = 5_000_000_000
const pieceLength = 4
/** Pieces: 0 of the first file, 1 of both, 2 and 3 of the second. */
const contents = ['aaaaaa', 'bbbbbbbbb']

let folder: string
let library: Library
let told: string[]
beforeEach(async () => {
  folder = await tempFolder()
  told = []
  library = await open()
})
afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

async function open(): Promise<Library> {
  const opened = await openLibrary({ folder, digest, now: () => now })
  opened.onCondition((infoHash) => told.push(infoHash))
  return opened
}

async function reopen(): Promise<void> {
  library.close()
  library = await open()
}

const path = (text: string) => library.blobPath(sha256(text))

test('pieces are verified when their item comes in, and when they are recorded to be', async () => {
  const { item } = await put(library, contents, { pieceLength })
  const since = now / 1000
  expect(library.pieces(item.infoHash)).toEqual({ verifiedAt: new Uint32Array(4).fill(since), bad: [] })
  const times = Uint32Array.of(0, since + 5, since - 5, since + 7)
  library.recordPieces(item.infoHash, times)
  for (let round = 0; round < 2; round++) {
    expect(library.pieces(item.infoHash)?.verifiedAt).toEqual(Uint32Array.of(since, since + 5, since, since + 7))
    await reopen()
  }
  library.recordPieces(item.infoHash, Uint32Array.of(since + 9, 0, 0, since + 8))
  for (let round = 0; round < 2; round++) {
    expect(library.pieces(item.infoHash)?.verifiedAt).toEqual(Uint32Array.of(since + 9, since + 5, since, since + 8))
    await reopen()
  }
  expect(library.pieces('0'.repeat(40))).toBeUndefined()
  library.recordPieces('0'.repeat(40), times)
  await reopen()
})

test('times of many pieces take no more than 8 KB, and none is later than it was', () => {
  const times = Uint32Array.from({ length: 5000 }, (_, n) => 1_000_000 + ((n * 7919) % 1000))
  const packed = packTimes(times)
  expect(packed.length).toBeLessThanOrEqual(8192)
  const unpacked = unpackTimes(packed, times.length)
  expect(unpacked.every((at, n) => at >= 1_000_000 && at <= (times[n] ?? 0))).toBe(true)
  expect(unpackTimes(packTimes(times.subarray(0, 2048)), 2048)).toEqual(times.subarray(0, 2048))
  expect(unpackTimes(packed, 17)).toEqual(new Uint32Array(17))
})

test('a bad piece makes its item and what shares its bytes patchy, across a restart', async () => {
  const { item } = await put(library, contents, { pieceLength })
  const sharer = await put(library, ['bbbbbbbbb'], { name: 'sharer', pieceLength })
  const other = await put(library, ['other'], { pieceLength })
  library.quarantinePiece(item.infoHash, 3)
  library.quarantinePiece(item.infoHash, 3)
  expect(told.toSorted()).toEqual([item.infoHash, sharer.item.infoHash].toSorted())
  for (let round = 0; round < 2; round++) {
    expect([item, sharer.item, other.item].map(({ infoHash }) => library.condition(infoHash))).toEqual([
      'patchy',
      'patchy',
      'held',
    ])
    expect(library.get(item.infoHash)).toBeUndefined()
    expect(library.pieces(item.infoHash)?.bad).toEqual([3])
    expect(library.pieces(item.infoHash)?.verifiedAt[3]).toBe(0)
    expect([library.suspects(), library.damaged()]).toEqual([[], []])
    expect((await library.open(item.infoHash))?.files.map(({ size }) => size)).toEqual([6, 9])
    expect(await library.file(item.infoHash, 'f1')).toBeUndefined()
    expect(await library.file(sharer.item.infoHash)).toBeUndefined()
    await reopen()
  }
})

test('a piece mended in place makes the item whole again, and what shares its bytes', async () => {
  const { item } = await put(library, contents, { pieceLength })
  const sharer = await put(library, ['bbbbbbbbb'], { name: 'sharer', pieceLength })
  await writeFile(path('bbbbbbbbb'), 'bbbbbb!b!')
  library.quarantinePiece(item.infoHash, 2)
  library.quarantinePiece(item.infoHash, 3)
  // Comparing leaves alone what is being mended.
  expect(await library.check(item.infoHash)).toBe(true)
  await writeFile(path('bbbbbbbbb'), 'bbbbbbbb!')
  expect(await library.mendedPiece(item.infoHash, 2)).toBe('patchy')
  expect(library.pieces(item.infoHash)?.bad).toEqual([3])
  await writeFile(path('bbbbbbbbb'), 'bbbbbbbbb')
  told = []
  expect(await library.mendedPiece(item.infoHash, 3)).toBe('held')
  expect(told.toSorted()).toEqual([item.infoHash, sharer.item.infoHash].toSorted())
  expect(await library.check(sharer.item.infoHash)).toBe(true)
  expect(library.get(sharer.item.infoHash)).toEqual(sharer.item)
  expect(library.pieces(item.infoHash)?.bad).toEqual([])
})

test('a piece that spans two files is bad in both until each was hashed', async () => {
  const { item } = await put(library, contents, { pieceLength })
  library.quarantinePiece(item.infoHash, 1)
  expect(await library.file(item.infoHash, 'f0')).toBeUndefined()
  expect(await library.file(item.infoHash, 'f1')).toBeUndefined()
  expect(await library.mendedPiece(item.infoHash, 1)).toBe('held')
})

test('bytes that are still wrong after the last piece was mended are damaged, never served', async () => {
  const { item } = await put(library, contents, { pieceLength })
  await writeFile(path('aaaaaa'), '!aaaaa')
  library.quarantinePiece(item.infoHash, 0)
  expect(await library.mendedPiece(item.infoHash, 0)).toBe('damaged')
  expect(library.damaged()).toEqual([item.infoHash])
  await expect(readFile(path('aaaaaa'))).rejects.toThrow('ENOENT')
  expect((await put(library, contents, { pieceLength })).created).toBe(true)
  expect(library.condition(item.infoHash)).toBe('held')
})

test('fetching the item anew forgets its bad pieces', async () => {
  const { item } = await put(library, contents, { pieceLength })
  await writeFile(path('aaaaaa'), '!aaaaa')
  library.quarantinePiece(item.infoHash, 0)
  await put(library, contents, { pieceLength })
  expect(library.condition(item.infoHash)).toBe('held')
  expect(await readFile(path('aaaaaa'), 'utf8')).toBe('aaaaaa')
})

test('when the item goes whose piece is bad, what shares its bytes is hashed before it is served', async () => {
  const { item } = await put(library, contents, { pieceLength })
  const sharer = await put(library, ['aaaaaa'], { name: 'sharer', pieceLength })
  await writeFile(path('aaaaaa'), '!aaaaa')
  library.quarantinePiece(item.infoHash, 0)
  await library.remove(item.infoHash)
  expect(library.suspects()).toEqual([sharer.item.infoHash])
  expect(await library.open(sharer.item.infoHash)).toBeUndefined()
  expect(await library.verify(sharer.item.infoHash)).toBe(false)
})

test('a piece that an item has not is refused', async () => {
  const { item } = await put(library, contents, { pieceLength })
  for (const piece of [-1, 4, 0.5, NaN])
    expect(() => library.quarantinePiece(item.infoHash, piece)).toThrow(InvalidInputError)
  expect(() => library.quarantinePiece('0'.repeat(40), 0)).toThrow(UnknownItemError)
})
