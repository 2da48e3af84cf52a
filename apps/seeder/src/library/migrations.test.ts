import { access, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, sha256, survey, tempFolder } from './fixtures/item.ts'
import { oldLibrary } from './fixtures/old-catalog.ts'
import { openLibrary } from './index.ts'

let folder: string
beforeEach(async () => {
  folder = await tempFolder()
})
afterEach(() => rm(folder, { recursive: true }))

const hour = 3_600
const blobPath = (text: string) => join(folder, 'blobs', sha256(text).slice(0, 2), sha256(text))
const age = async (text: string, seconds: number) => {
  const then = Math.floor(Date.now() / 1000) - seconds
  await utimes(blobPath(text), then, then)
  const db = new DatabaseSync(join(folder, 'catalog.db'))
  db.prepare('UPDATE blobs SET mtime_us = ? WHERE sha256 = ?').run(then * 1_000_000, sha256(text))
  db.close()
}

test.each([1, 2] as const)('a library of layout %d keeps what it holds, and hashes what came last', async (layout) => {
  const [old, recent] = await oldLibrary(folder, layout, ['old', 'recent'])
  await age('old', hour)
  const library = await openLibrary({ folder, digest })
  expect(library.get(old?.infoHash ?? '')).toEqual(old)
  expect(library.suspects()).toEqual([recent?.infoHash])
  expect(await library.verify(recent?.infoHash ?? '')).toBe(true)
  library.refuse('a'.repeat(40), 2, 1)
  expect(library.pieces(old?.infoHash ?? '')?.verifiedAt[0]).toBeGreaterThan(0)
  expect(await readFile(join(folder, 'blobs', 'library-id'), 'utf8')).toMatch(/^[0-9a-f]{32}\n$/)
  library.close()
  const again = await openLibrary({ folder, digest })
  expect(again.storage().state).toBe('here')
  expect(again.refused(1)).toEqual([{ infoHash: 'a'.repeat(40), until: 2 }])
  again.close()
})

test('the rest of a print is learned when a blob is next compared, and counts from then on', async () => {
  const [item] = await oldLibrary(folder, 2, ['old'])
  await age('old', hour)
  const library = await openLibrary({ folder, digest })
  await survey(library)
  expect(library.condition(item?.infoHash ?? '')).toBe('held')
  const { mtime } = await stat(blobPath('old'))
  await writeFile(blobPath('old'), 'OLD')
  await utimes(blobPath('old'), mtime, mtime)
  expect(await library.check(item?.infoHash ?? '')).toBe(false)
  expect(library.suspects()).toEqual([item?.infoHash])
  library.close()
})

test('an old library whose disk is not mounted is suspended, marks nothing, and goes on when it is there', async () => {
  const [item] = await oldLibrary(folder, 2, ['old'])
  await age('old', hour)
  await rename(join(folder, 'blobs'), join(folder, 'disk'))
  const library = await openLibrary({ folder, digest })
  expect(library.storage().state).toBe('missing')
  await expect(access(join(folder, 'blobs'))).rejects.toThrow('ENOENT')
  expect(library.damaged()).toEqual([])
  await rename(join(folder, 'disk'), join(folder, 'blobs'))
  await library.look()
  expect(library.storage().state).toBe('here')
  expect(await library.open(item?.infoHash ?? '')).toBeDefined()
  library.close()
})
