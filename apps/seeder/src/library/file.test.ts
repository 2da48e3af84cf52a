import { rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, put, sha256, tempFolder } from './fixtures/item.ts'
import { openLibrary } from './index.ts'
import type { Library } from './index.ts'

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

test('a file is found by path in the item of an infohash or a SHA-256', async () => {
  const { item } = await put(library, ['one', 'two'], { createdAt: 7 })
  const [first, second] = item.files
  const rights = { owner: '', access: 'public' }
  const about = { infoHash: item.infoHash, name: item.name, createdAt: 7, state: 'live', alone: false, ...rights }
  for (const id of [item.infoHash, item.sha256]) {
    expect(await library.file(id)).toEqual({ ...about, file: first })
    expect(await library.file(id, second?.path)).toEqual({ ...about, file: second })
    expect(await library.file(id, 'nothing')).toEqual({ ...about, file: undefined })
  }
  expect(await library.file('a'.repeat(40))).toBeUndefined()
  expect(await library.file('a'.repeat(64), 'x')).toBeUndefined()
  const single = await put(library, ['alone'])
  expect((await library.file(single.item.infoHash))?.alone).toBe(true)
})

test('the file of a retracted item says so, and is not found by content', async () => {
  const { item } = await put(library, ['gone'])
  library.retract(item.infoHash, 5)
  expect((await library.file(item.infoHash))?.state).toBe('retracted')
  expect(await library.file(item.sha256)).toBeUndefined()
})

test('a changed blob is not held, and with it no other file of its item', async () => {
  const { item } = await put(library, ['flipped', 'sound'])
  const [flipped, sound] = item.files
  await writeFile(library.blobPath(sha256('flipped')), '!lipped')
  expect(await library.file(item.infoHash, sound?.path)).toBeDefined()
  expect(await library.file(item.infoHash, flipped?.path)).toBeUndefined()
  expect(await library.file(item.infoHash, sound?.path)).toBeUndefined()
  expect(library.suspects()).toEqual([item.infoHash])
})
