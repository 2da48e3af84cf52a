import { open, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FetchFailedError, UnwritableError } from '../index.ts'
import type { PieceLedger } from '../index.ts'
import { RecordingPeer } from '../testing/recording-peer.ts'
import { Workbench } from '../testing/workbench.ts'
import type { MadeTorrent } from '../testing/workbench.ts'

let bench: Workbench
let ledger: { [name in keyof PieceLedger]: ReturnType<typeof vi.fn<PieceLedger[name]>> }

beforeEach(async () => {
  bench = await Workbench.open()
  ledger = {
    bad: vi.fn<PieceLedger['bad']>(),
    mended: vi.fn<PieceLedger['mended']>(),
    unwritable: vi.fn<PieceLedger['unwritable']>(),
    failed: vi.fn<PieceLedger['failed']>(),
    isHere: vi.fn<PieceLedger['isHere']>().mockResolvedValue(true),
    verified: vi.fn<PieceLedger['verified']>(),
  }
})

afterEach(() => bench.close())

/** Flips one bit of the torrent's bytes on disk. Only the time of the change of the inode tells of it. */
async function flip(made: MadeTorrent, at: number): Promise<void> {
  let offset = at
  for (const { path, size } of made.files) {
    if (offset < size) {
      const { atime, mtime } = await stat(path)
      const file = await open(path, 'r+')
      const byte = Buffer.alloc(1)
      await file.read(byte, 0, 1, offset)
      byte.writeUInt8(byte.readUInt8() ^ 1)
      await file.write(byte, 0, 1, offset)
      await file.close()
      await utimes(path, atime, mtime)
      return
    }
    offset -= size
  }
}

const bytesOf = ({ contents }: MadeTorrent): Buffer => Buffer.concat(contents)

async function peer(port: number, made: MadeTorrent, fast = true): Promise<RecordingPeer> {
  const opened = await RecordingPeer.open(port, made.infoHash, fast)
  bench.onClose(async () => opened.end())
  return opened
}

/** Takes every piece. @returns the numbers of those that were refused; fails when a wrong byte came */
async function takeAll(from: RecordingPeer, made: MadeTorrent): Promise<number[]> {
  const bytes = bytesOf(made)
  const refused: number[] = []
  for (let piece = 0; piece * made.pieceLength < made.size; piece++) {
    const right = bytes.subarray(piece * made.pieceLength, (piece + 1) * made.pieceLength)
    const sent = await from.askAll(piece, right.length)
    if (sent === undefined) refused.push(piece)
    expect(sent ?? right).toHaveLength(right.length)
    expect(right.equals(sent ?? right)).toBe(true)
  }
  return refused
}

const layouts: [what: string, files: [string, number][], pieceLength: number][] = [
  ['pieces of one block', [['one.bin', 100_000]], 16_384],
  ['pieces that span files', ['a', 'b', 'c', 'd'].map((name) => [name, 30_000]), 32_768],
  ['pieces of one run', [['one.bin', 2_000_000]], 524_288],
  ['pieces of several runs', [['one.bin', 5_000_000]], 2_097_152],
]

test.each(layouts)('a bit flipped while the item sleeps is never sent: %s', async (_what, files, pieceLength) => {
  const made = await bench.torrent('item', files, pieceLength)
  const seeder = await bench.swarm({ ledger })
  seeder.seed(made.infoHash)
  await flip(made, pieceLength + 5_000)
  const taker = await peer(seeder.port, made)
  expect(await takeAll(taker, made)).toEqual([1])
  expect(ledger.bad.mock.calls).toEqual([[made.infoHash, 1]])
  expect(taker.dontHaves).toEqual([1])
  const later = await peer(seeder.port, made)
  expect(later.bitfield?.at(0)).toBe(bitsWithout(made, 1))
  expect(await takeAll(later, made)).toEqual([1])
  expect(ledger.bad).toHaveBeenCalledTimes(1)
})

/** The first byte of a bitfield without one piece. */
function bitsWithout(made: MadeTorrent, lost: number): number {
  let bits = 0
  for (let piece = 0; piece < 8 && piece * made.pieceLength < made.size; piece++) {
    if (piece !== lost) bits |= 128 >> piece
  }
  return bits
}

test.each(layouts)('a bit flipped while the item is awake is never sent: %s', async (_what, files, pieceLength) => {
  const made = await bench.torrent('item', files, pieceLength)
  const seeder = await bench.swarm({ ledger })
  seeder.seed(made.infoHash)
  const taker = await peer(seeder.port, made)
  expect(await taker.ask(0, 0, 16_384)).toHaveLength(16_384)
  expect(taker.bitfield).toBeUndefined()
  await flip(made, pieceLength + 5_000)
  expect(await takeAll(taker, made)).toEqual([1])
  expect(await taker.ask(1, 3, 7)).toBeUndefined()
  expect(ledger.bad.mock.calls).toEqual([[made.infoHash, 1]])
})

test('a bit that flips while a peer downloads ahead of it is never sent', async () => {
  const made = await bench.torrent('item', [['one.bin', 24_000_000]], 2_097_152)
  const seeder = await bench.swarm({ ledger })
  seeder.seed(made.infoHash)
  const taker = await peer(seeder.port, made)
  const taking = takeAll(taker, made)
  await taker.until(() => taker.blocks.size > 100)
  await flip(made, 20_000_000)
  expect(await taking).toEqual([9])
})

test('blocks of odd places and sizes are checked too, and right', async () => {
  const made = await bench.torrent('item', [['one.bin', 3_000_000]], 1_048_576)
  const seeder = await bench.swarm({ ledger })
  seeder.seed(made.infoHash)
  await flip(made, 1_500_000)
  const taker = await peer(seeder.port, made)
  const bytes = bytesOf(made)
  for (const [piece, offset, length] of [
    [0, 1, 1],
    [0, 524_287, 2],
    [0, 500_000, 131_072],
    [0, 1_048_575, 1],
    [2, 16_383, 16_385],
    [2, 902_847, 1],
  ] as const) {
    const at = piece * made.pieceLength + offset
    expect((await taker.ask(piece, offset, length))?.equals(bytes.subarray(at, at + length))).toBe(true)
  }
  expect(await taker.ask(1, 16_384, 100)).toBeUndefined()
})

test('a peer without the fast extension is sent away rather than left waiting', async () => {
  const made = await bench.torrent('item', [['one.bin', 100_000]])
  const seeder = await bench.swarm({ ledger })
  seeder.seed(made.infoHash)
  const taker = await peer(seeder.port, made, false)
  await flip(made, 20_000)
  expect(await taker.askAll(0, 16_384)).toHaveLength(16_384)
  expect(await taker.ask(1, 0, 16_384)).toBeUndefined()
  expect(taker.closed).toBe(true)
  expect((await peer(seeder.port, made, false)).bitfield?.at(0)).toBe(bitsWithout(made, 1))
})

test('a peer that asks for what is not here without end is sent away', async () => {
  const made = await bench.torrent('item', [['one.bin', 100_000]])
  const seeder = await bench.swarm({ ledger, shelf: { open: async () => ({ ...made, bad: [1] }) } })
  seeder.seed(made.infoHash)
  const taker = await peer(seeder.port, made)
  expect(taker.bitfield?.at(0)).toBe(bitsWithout(made, 1))
  while (!taker.closed && taker.rejected.length < 10_000) {
    for (let n = 0; n < 500; n++) taker.send(1, 0, 16_384)
    await taker.ask(0, 0, 16_384).catch(() => undefined)
  }
  expect(taker.closed).toBe(true)
  expect(ledger.bad).not.toHaveBeenCalled()
})

test('a wrong piece is fetched again from a peer that has it, written in place, and sent', async () => {
  const made = await bench.torrent('item', [['one.bin', 3_000_000]], 524_288)
  const seeder = await bench.swarm({ ledger })
  seeder.seed(made.infoHash)
  await flip(made, 600_000)
  const taker = await peer(seeder.port, made)
  expect(await takeAll(taker, made)).toEqual([1])
  const path = join(bench.folder, 'copy')
  await writeFile(path, bytesOf(made))
  const second = await bench.swarm({ shelf: { open: async () => ({ ...made, files: [{ path, size: made.size }] }) } })
  second.seed(made.infoHash)
  await seeder.mend({
    infoHash: made.infoHash,
    peers: [`127.0.0.1:${second.port}`],
    webSeeds: [],
    signal: AbortSignal.timeout(20_000),
  })
  expect(ledger.mended.mock.calls).toEqual([[made.infoHash, 1]])
  expect((await readFile(made.files[0]?.path ?? '')).equals(bytesOf(made))).toBe(true)
  await taker.until(() => taker.haves.includes(1))
  expect(await takeAll(taker, made)).toEqual([])
})

test('a file that cannot be written is told, made by nobody, and does not end the torrent', async () => {
  const made = await bench.torrent('item', [['one.bin', 3_000_000]], 524_288)
  const path = made.files[0]?.path ?? ''
  const seeder = await bench.swarm({ ledger, shelf: { open: async () => ({ ...made, bad: [1] }) } })
  seeder.seed(made.infoHash)
  const second = await bench.swarm()
  const copy = join(bench.folder, 'copy')
  await writeFile(copy, bytesOf(made))
  await rename(path, `${path}.away`)
  bench.shelf.set(made.infoHash, { ...made, files: [{ path: copy, size: made.size }] })
  second.seed(made.infoHash)
  const request = { infoHash: made.infoHash, peers: [`127.0.0.1:${second.port}`], webSeeds: [] }
  await expect(seeder.mend({ ...request, signal: AbortSignal.timeout(20_000) })).rejects.toThrow(UnwritableError)
  expect(ledger.unwritable).toHaveBeenCalledTimes(1)
  await expect(stat(path)).rejects.toThrow('ENOENT')
  await rename(`${path}.away`, path)
  await flip(made, 600_000)
  const taker = await peer(seeder.port, made)
  expect(await takeAll(taker, made)).toEqual([1])
  await seeder.mend({ ...request, signal: AbortSignal.timeout(20_000) })
  expect(ledger.mended.mock.calls).toEqual([[made.infoHash, 1]])
  expect((await readFile(path)).equals(bytesOf(made))).toBe(true)
})

test('all pieces are checked at once: what others mended is right again, what is wrong is told', async () => {
  const made = await bench.torrent('item', [['one.bin', 3_000_000]], 524_288)
  const seeder = await bench.swarm({ ledger, shelf: { open: async () => ({ ...made, bad: [1, 4] }) } })
  seeder.seed(made.infoHash)
  const taker = await peer(seeder.port, made)
  await flip(made, 4 * 524_288)
  await flip(made, 5 * 524_288)
  const { signal } = new AbortController()
  expect(await seeder.check(made.infoHash, 'wrong', signal)).toBe(524_288)
  await taker.until(() => taker.haves.includes(1))
  expect(await seeder.check(made.infoHash, 'all', signal)).toBe(524_288 + 3_000_000 - 5 * 524_288)
  expect(ledger.bad.mock.calls).toEqual([[made.infoHash, 5]])
  expect(await takeAll(taker, made)).toEqual([4, 5])
  await seeder.remove(made.infoHash)
  await expect(seeder.check(made.infoHash, 'all', signal)).rejects.toThrow(FetchFailedError)
})

describe('when pieces were found right is told', () => {
  const take = async (pieces: number) => {
    const made = await bench.torrent('told.bin', [['told.bin', pieces * 16_384 - 1_000]], 16_384)
    const seeder = await bench.swarm({ ledger, limits: { idleAfter: 100 } })
    seeder.seed(made.infoHash)
    const from = await peer(seeder.port, made)
    expect(await takeAll(from, made)).toEqual([])
    return { seeder, from }
  }
  const told = () => ledger.verified.mock.calls.map(([, times]) => [...times])
  const seconds = Math.floor(Date.now() / 1000)

  test.each([1, 5])('of an item of %i pieces that goes to sleep, the first one read included', async (pieces) => {
    const { seeder, from } = await take(pieces)
    from.end()
    await vi.waitUntil(() => seeder.stats().awake === 0, { timeout: 10_000 })
    expect(told().map((times) => times.length)).toEqual([pieces])
    expect(Math.min(...told().flat())).toBeGreaterThanOrEqual(seconds)
  })

  test('of what is awake when the swarm ends', async () => {
    const { seeder } = await take(3)
    await seeder.close()
    expect(told()).toHaveLength(1)
    expect(Math.min(...told().flat())).toBeGreaterThanOrEqual(seconds)
  })
})

test('of wrong pieces every byte is counted, and no more for a last piece that is short', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const swarm = await bench.swarm({ ledger })
  swarm.seed(made.infoHash)
  const signal = AbortSignal.timeout(10_000)
  await flip(made, 99_999)
  expect(await swarm.check(made.infoHash, 'all', signal)).toBe(100_000 % 16_384)
  await swarm.remove(made.infoHash)
  swarm.seed(made.infoHash)
  await flip(made, 20_000)
  await flip(made, 40_000)
  expect(await swarm.check(made.infoHash, 'all', signal)).toBe(2 * 16_384 + (100_000 % 16_384))
})
