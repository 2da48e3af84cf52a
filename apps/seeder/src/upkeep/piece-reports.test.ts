import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Library } from '../library/index.ts'
import { PieceReports } from './piece-reports.ts'
import { hold, library } from './testing/keeping.ts'

const log = pino({ level: 'silent' })

let registry: Registry
let reports: PieceReports
beforeEach(() => {
  registry = new Registry()
  reports = new PieceReports({ library, registry, log })
})
afterEach(() => reports.close())

const count = async (name: string) =>
  (await registry.getSingleMetric(`eldernode_pieces_${name}_total`)?.get())?.values[0]?.value

test('a wrong piece is remembered and counted, and its item held again once it was mended', async () => {
  const { infoHash, sha256 } = await hold('mended')
  await writeFile(library.blobPath(sha256), 'MENDED')
  reports.bad(infoHash, 0)
  expect(library.condition(infoHash)).toBe('patchy')
  await writeFile(library.blobPath(sha256), 'mended')
  reports.mended(infoHash, 0)
  await vi.waitUntil(() => library.condition(infoHash) === 'held', { timeout: 10_000 })
  expect([await count('quarantined'), await count('mended')]).toEqual([1, 1])
})

test('a file that cannot be read is compared, so that a lost one is fetched again', async () => {
  const { infoHash, sha256 } = await hold('gone')
  await rm(library.blobPath(sha256))
  reports.failed(infoHash, new Error('ENOENT'))
  await reports.close()
  expect(library.condition(infoHash)).toBe('damaged')
})

test('a report of an item that was removed meanwhile throws nothing', async () => {
  const { infoHash } = await hold('removed')
  await library.remove(infoHash)
  reports.bad(infoHash, 0)
  reports.mended(infoHash, 0)
  reports.failed(infoHash, new Error('EIO'))
  reports.unwritable(infoHash, new Error('ENOSPC'))
  await reports.close()
  expect(library.condition(infoHash)).toBeUndefined()
})

describe('a catalog that cannot be written', () => {
  const full = () => {
    throw new Error('database or disk is full')
  }
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())
  const over = (broken: object) => {
    reports = new PieceReports({ library: { ...library, ...broken }, registry: new Registry(), log })
  }

  test('is told of a wrong piece again until it is written', async () => {
    const { infoHash } = await hold('wrong')
    const quarantinePiece = vi.fn<Library['quarantinePiece']>(library.quarantinePiece)
    quarantinePiece.mockImplementationOnce(full).mockImplementationOnce(full)
    over({ quarantinePiece })
    reports.bad(infoHash, 0)
    await vi.advanceTimersByTimeAsync(119_000)
    expect([quarantinePiece.mock.calls.length, library.condition(infoHash)]).toEqual([2, 'held'])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(library.condition(infoHash)).toBe('patchy')
    await vi.advanceTimersByTimeAsync(600_000)
    expect(quarantinePiece).toHaveBeenCalledTimes(3)
  })

  test('is told of the last that is known of a piece, not of what was found before', async () => {
    const { infoHash } = await hold('right after all')
    const quarantinePiece = vi.fn<Library['quarantinePiece']>(full)
    over({ quarantinePiece })
    reports.bad(infoHash, 0)
    await vi.advanceTimersByTimeAsync(1_000)
    reports.mended(infoHash, 0)
    await vi.advanceTimersByTimeAsync(120_000)
    expect([quarantinePiece.mock.calls.length, library.condition(infoHash)]).toEqual([1, 'held'])
  })

  test('loses when pieces were verified, and says so once', async () => {
    const said = vi.spyOn(log, 'error')
    over({ recordPieces: full })
    for (let n = 0; n < 3; n++) reports.verified('a'.repeat(40), new Uint32Array([5]))
    expect(said).toHaveBeenCalledTimes(1)
    said.mockRestore()
  })
})

test('whether the disk is there is found out by looking', async () => {
  expect(await reports.isHere()).toBe(true)
  await rm(join(library.storage().folder, 'blobs', 'library-id'))
  expect(await reports.isHere()).toBe(false)
})
