import { rm, writeFile } from 'node:fs/promises'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
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
