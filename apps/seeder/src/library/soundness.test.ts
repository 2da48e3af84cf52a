import { cp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, put, sha256, survey, tempFolder } from './fixtures/item.ts'
import { openLibrary } from './index.ts'
import type { Library } from './index.ts'

// fsync takes its time on a busy disk.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: string
let library: Library
beforeEach(async () => {
  folder = await tempFolder()
  library = await openLibrary({ folder, digest })
})
afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

async function reopen(): Promise<void> {
  library.close()
  library = await openLibrary({ folder, digest })
}

/** Opens it again and compares every blob. */
async function reopenAndLook(): Promise<void> {
  await reopen()
  await survey(library)
}

const quarantined = () => readdir(join(folder, 'quarantine'))
const flip = (text: string) => writeFile(library.blobPath(sha256(text)), text.replace(/^./, '!'))

test('a bit flipped while the library was closed is noticed by a survey, and goes to quarantine', async () => {
  const bad = await put(library, ['flipped', 'sound'], { name: 'bad' })
  const good = await put(library, ['sound'], { name: 'good' })
  await flip('flipped')
  await reopenAndLook()
  expect(library.suspects()).toEqual([bad.item.infoHash])
  expect(library.get(bad.item.infoHash)).toBeUndefined()
  expect([...library.all()].map((item) => item.name)).toEqual(['good'])
  expect(library.list({ limit: 9 }).items.map((item) => item.name)).toEqual(['good'])
  expect(library.bySha256(bad.item.sha256)).toBeUndefined()
  expect(library.totals().items).toBe(1)

  expect(await library.verify(bad.item.infoHash)).toBe(false)
  expect([library.suspects(), library.damaged()]).toEqual([[], [bad.item.infoHash]])
  expect(await quarantined()).toEqual([sha256('flipped')])
  expect(await library.check(good.item.infoHash)).toBe(true)

  await reopen()
  expect(library.damaged()).toEqual([bad.item.infoHash])
  expect(await library.verify(bad.item.infoHash)).toBe(false)
})

test('a damaged item is whole again once its bytes are committed again', async () => {
  const { item } = await put(library, ['flipped', 'sound'])
  await flip('flipped')
  expect(await library.check(item.infoHash)).toBe(false)
  await library.verify(item.infoHash)
  expect(await put(library, ['flipped', 'sound'])).toEqual({ item, created: true })
  expect([library.damaged(), library.suspects()]).toEqual([[], []])
  expect(library.totals()).toEqual({ items: 1, bytes: 12 })
  await reopen()
  expect(library.get(item.infoHash)).toEqual(item)
})

test('a touched blob whose bytes are right is held again, and remembered so', async () => {
  const { item } = await put(library, ['touched'])
  await utimes(library.blobPath(sha256('touched')), 5, 5)
  await reopenAndLook()
  expect(library.get(item.infoHash)).toBeUndefined()
  expect(await library.verify(item.infoHash)).toBe(true)
  expect(library.get(item.infoHash)).toEqual(item)
  await reopen()
  expect(library.suspects()).toEqual([])
  expect(await quarantined()).toEqual([])
})

test('a missing blob damages its items, and they are whole again once it is back and hashed', async () => {
  const { item } = await put(library, ['away', 'here'])
  const path = library.blobPath(sha256('away'))
  await rename(path, join(folder, 'elsewhere'))
  expect(await library.check(item.infoHash)).toBe(false)
  expect(library.damaged()).toEqual([item.infoHash])
  await rename(join(folder, 'elsewhere'), path)
  await reopenAndLook()
  // A rename leaves a new change time, which a file with other bytes could have as well.
  expect(library.suspects()).toEqual([item.infoHash])
  expect(await library.verify(item.infoHash)).toBe(true)
  expect(library.get(item.infoHash)).toEqual(item)
})

test('a blob that was cut short is damaged', async () => {
  const { item } = await put(library, ['whole'])
  await writeFile(library.blobPath(sha256('whole')), 'who')
  await reopenAndLook()
  expect(library.damaged()).toEqual([item.infoHash])
  expect(await library.verify(item.infoHash)).toBe(false)
  expect(await quarantined()).toEqual([sha256('whole')])
})

test('bytes changed with their modification time set back are noticed', async () => {
  const { item } = await put(library, ['rotten', 'sound'])
  const path = library.blobPath(sha256('rotten'))
  const { atime, mtime } = await stat(path)
  await writeFile(path, 'rottem')
  await utimes(path, atime, mtime)
  expect(await library.open(item.infoHash)).toBeUndefined()
  expect(library.suspects()).toEqual([item.infoHash])
})

test('a copy put in the place of a blob is noticed', async () => {
  const { item } = await put(library, ['copied'])
  const path = library.blobPath(sha256('copied'))
  await cp(path, `${path}.copy`, { preserveTimestamps: true })
  await rename(`${path}.copy`, path)
  expect(await library.check(item.infoHash)).toBe(false)
  expect(await library.verify(item.infoHash)).toBe(true)
})

test('verifying all finds rot that no print shows', async () => {
  const { item } = await put(library, ['rotten', 'sound'])
  const path = library.blobPath(sha256('rotten'))
  await writeFile(path, 'rottem')
  expect(await library.verify(item.infoHash, { all: true })).toBe(false)
  expect(library.damaged()).toEqual([item.infoHash])
})

test('a blob that cannot be read now is not condemned', async () => {
  const { item } = await put(library, ['busy'])
  library.close()
  const failing = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  library = await openLibrary({ folder, digest: () => Promise.reject(failing) })
  await expect(library.verify(item.infoHash, { all: true })).rejects.toBe(failing)
  expect(library.get(item.infoHash)).toEqual(item)
  expect(await quarantined()).toEqual([])
})

test('bytes committed while the old ones are read again are not condemned', async () => {
  const { item } = await put(library, ['renewed'])
  await flip('renewed')
  library.close()
  let renew = true
  library = await openLibrary({
    folder,
    digest: async (path) => {
      const found = await digest(path)
      if (renew) await put(library, ['renewed'])
      renew = false
      return found
    },
  })
  expect(await library.check(item.infoHash)).toBe(false)
  expect(await library.verify(item.infoHash)).toBe(true)
  expect(await quarantined()).toEqual([])
  expect(await library.check(item.infoHash)).toBe(true)
})

test('an item removed while it is verified stays removed', async () => {
  const { item } = await put(library, ['gone'])
  library.close()
  library = await openLibrary({
    folder,
    digest: async (path) => {
      const found = await digest(path)
      await library.remove(item.infoHash)
      return found
    },
  })
  expect(await library.verify(item.infoHash, { all: true })).toBe(false)
  expect(library.totals()).toEqual({ items: 0, bytes: 0 })
})

test('a damaged item can be retracted, purged and removed', async () => {
  const { item } = await put(library, ['lost'])
  await rm(library.blobPath(sha256('lost')))
  await library.check(item.infoHash)
  library.retract(item.infoHash, 5)
  expect(library.purgeable(5)).toHaveLength(1)
  await library.remove(item.infoHash)
  expect(library.damaged()).toEqual([])
  expect(library.totals()).toEqual({ items: 0, bytes: 0 })
})
