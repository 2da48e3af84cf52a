import { readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, hold, itemOf, metainfoOf, put, sha256, survey, tempFolder } from './fixtures/item.ts'
import { type Library, openLibrary } from './index.ts'

let folder: string
let library: Library
let time: number
const open = () => openLibrary({ folder, digest, now: () => time })

beforeEach(async () => {
  folder = await tempFolder()
  time = 1_000_000_000
  library = await open()
})

afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

/** Hashes that the catalog keeps the bytes of. */
function kept(): string[] {
  const catalog = new DatabaseSync(join(folder, 'catalog.db'), { readOnly: true })
  const rows = catalog.prepare('SELECT sha256 FROM small_blobs ORDER BY sha256').all()
  catalog.close()
  return rows.map((row) => String(row['sha256']))
}

test('a small item is held like any other, and its bytes leave the catalog once its files had time', async () => {
  const { item, created } = await hold(library, ['one', 'two'], { name: 'folder' })
  expect(created).toBe(true)
  expect(await library.open(item.infoHash)).toMatchObject({ files: [{ size: 3 }, { size: 3 }] })
  expect(readFileSync(library.blobPath(sha256('one')), 'utf8')).toBe('one')
  expect(readdirSync(join(folder, 'incoming'))).toEqual([])
  expect(kept()).toEqual([sha256('one'), sha256('two')].toSorted())
  await library.settle()
  expect(kept()).toHaveLength(2)
  time += 60_000
  await library.settle()
  expect(kept()).toEqual([])
  expect(await library.check(item.infoHash)).toBe(true)
})

test.each([
  ['are gone', (path: string) => rmSync(path)],
  ['are empty', (path: string) => truncateSync(path)],
  ['have other bytes', (path: string) => writeFileSync(path, 'ONE')],
  [
    'have other bytes and the same time',
    (path: string) => {
      writeFileSync(path, 'ONE')
      utimesSync(path, 1, 1)
    },
  ],
])('after a crash whose files %s they are made again, and the item is held', async (_, spoil) => {
  const { item } = await hold(library, ['one'])
  // What a crash leaves: the catalog was not told of an end.
  const path = library.blobPath(sha256('one'))
  library.close()
  const catalog = new DatabaseSync(join(folder, 'catalog.db'))
  catalog.exec('UPDATE library SET clean = 0')
  catalog.close()
  spoil(path)
  library = await open()
  expect(library.suspects()).toEqual([])
  expect(await library.check(item.infoHash)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('one')
  expect(kept()).toEqual([sha256('one')])
})

test('a file that vanished is not settled', async () => {
  await hold(library, ['one'])
  rmSync(library.blobPath(sha256('one')))
  time += 60_000
  await library.settle()
  expect(kept()).toEqual([sha256('one')])
})

test('what is removed leaves nothing behind', async () => {
  const { item } = await hold(library, ['one'])
  await library.remove(item.infoHash)
  expect(kept()).toEqual([])
  await survey(library)
  expect(readdirSync(join(folder, 'blobs', sha256('one').slice(0, 2)))).toEqual([])
})

test('items that share bytes share them, however they came', async () => {
  const [small] = await Promise.all([hold(library, ['same'], { name: 'a' }), hold(library, ['same'], { name: 'b' })])
  const staged = await put(library, ['same'], { name: 'c' })
  for (const { item } of [small, staged]) expect(await library.check(item.infoHash)).toBe(true)
  expect(library.totals()).toEqual({ items: 3, bytes: 4 })
  await library.remove(small.item.infoHash)
  expect(await library.check(staged.item.infoHash)).toBe(true)
})

test('bytes of another size than the item says make none', async () => {
  const item = itemOf(['one'])
  await expect(library.commit(library.hold([Buffer.from('four')]), item, metainfoOf(item))).rejects.toMatchObject({
    code: 'staging_mismatch',
  })
  expect(library.totals()).toEqual({ items: 0, bytes: 0 })
})

test('a leftover of that name is written over', async () => {
  writeFileSync(library.blobPath(sha256('one')), 'torn')
  const { item } = await hold(library, ['one'])
  expect(readFileSync(library.blobPath(sha256('one')), 'utf8')).toBe('one')
  expect(await library.check(item.infoHash)).toBe(true)
})
