import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ControlTable } from './control-table.ts'
import { Database } from './database.ts'
import { digest, put, tempFolder } from './fixtures/item.ts'
import { openLibrary, type Library } from './index.ts'

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

const infoHash = 'c'.repeat(40)

test('what was set for an item that is not held yet outlives a restart, and can be taken back', async () => {
  expect(library.controls(infoHash)).toEqual({ paused: false })
  library.control(infoHash, { paused: true, uploadLimit: 0, downloadLimit: 5_000 })
  library.close()
  library = await openLibrary({ folder, digest })
  expect(library.controls(infoHash)).toEqual({ paused: true, uploadLimit: 0, downloadLimit: 5_000 })
  expect([library.isPaused(infoHash), library.pausedCount()]).toEqual([true, 1])
  library.control(infoHash, { paused: false, uploadLimit: 7 })
  expect(library.controls(infoHash)).toEqual({ paused: false, uploadLimit: 7 })
  library.control(infoHash, { paused: false })
  expect([library.isPaused(infoHash), library.pausedCount()]).toEqual([false, 0])
})

test('a paused item is held and not served, and its purge or removal forgets the pause', async () => {
  const [first, second] = [(await put(library, ['a'])).item, (await put(library, ['b'])).item]
  for (const item of [first, second]) library.control(item.infoHash, { paused: true })
  expect([...library.servable()]).toEqual([])
  expect(library.get(first.infoHash)).toEqual(first)
  await library.remove(first.infoHash)
  library.retract(second.infoHash, 5)
  expect(await library.purge(second.infoHash, 4)).toBe(false)
  expect(library.isPaused(second.infoHash)).toBe(true)
  expect(await library.purge(second.infoHash, 5)).toBe(true)
  expect(library.pausedCount()).toBe(0)
  library.close()
  library = await openLibrary({ folder, digest })
  expect(library.pausedCount()).toBe(0)
})

test('of what was set for items that are not here the oldest is dropped, of those that are nothing', async () => {
  const held = (await put(library, ['held'])).item.infoHash
  library.close()
  const db = new Database(join(folder, 'catalog.db'))
  const table = new ControlTable(db, 3)
  const others = [1, 2, 3, 4, 5].map((n) => String(n).repeat(40))
  for (const one of [held, ...others]) table.set(one, { paused: true })
  const expected = [held, ...others.slice(2)]
  const known = (controls: ControlTable) => [held, ...others].filter((one) => controls.isPaused(one))
  expect([known(table), table.pausedCount]).toEqual([expected, 4])
  expect(known(new ControlTable(db))).toEqual(expected)
  db.close()
  library = await openLibrary({ folder, digest })
})
