import { rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, itemOf, metainfoOf, put, tempFolder } from './fixtures/item.ts'
import { type Library, type NewItemKey, openLibrary } from './index.ts'

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

const key: NewItemKey = { owner: 'anna', content: 'c'.repeat(64), wrapped: new Uint8Array([7]), readers: ['age1a'] }
const recipient = `age1${'q'.repeat(58)}`
const about = { encryption: { format: 'age' as const, recipient } }
const item = itemOf(['sealed'], { access: 'private', about })

async function commit() {
  const staging = await library.stage()
  await writeFile(staging.filePath(0), 'sealed')
  return await library.commit(staging, item, metainfoOf(item), { key })
}

test('a key is there with its item, after opening again too', async () => {
  await commit()
  library.close()
  library = await openLibrary({ folder, digest })
  expect(library.get(item.infoHash)).toEqual(item)
  expect(library.keys.get(item.infoHash)).toMatchObject({ owner: 'anna', wrapped: new Uint8Array([7]) })
  expect(library.keys.readers(item.infoHash)).toEqual([{ recipient: 'age1a', state: 'wanted' }])
  expect(library.keys.withContent('anna', key.content)).toMatchObject([{ infoHash: item.infoHash }])
  expect(library.keys.withContent('bert', key.content)).toEqual([])
})

test('an item that is not stored has no key', async () => {
  const staging = await library.stage()
  await writeFile(staging.filePath(0), 'cut')
  await expect(library.commit(staging, item, metainfoOf(item), { key })).rejects.toThrow('has 3 bytes')
  expect(library.keys.get(item.infoHash)).toBeUndefined()
})

test('a copy that is dropped leaves its key, which goes with the purge', async () => {
  await commit()
  await library.remove(item.infoHash)
  expect(library.keys.get(item.infoHash)).toBeDefined()
  expect(library.keys.withContent('anna', key.content)).toEqual([])
  await put(library, ['sealed'], { access: 'private', about })
  library.retract(item.infoHash, 1000)
  expect(await library.purge(item.infoHash, 999)).toBe(false)
  expect(library.keys.get(item.infoHash)).toBeDefined()
  expect(await library.purge(item.infoHash, 1000)).toBe(true)
  expect(library.keys.get(item.infoHash)).toBeUndefined()
  expect(library.keys.readers(item.infoHash)).toEqual([])
})

test('what is encrypted is known by its manifest, whoever published it', async () => {
  await put(library, ['sealed'], { access: 'private', about })
  const { item: open } = await put(library, ['open'])
  expect(library.keys.isEncrypted(item.infoHash)).toBe(true)
  expect(library.keys.isEncrypted(open.infoHash)).toBe(false)
  expect(library.keys.isEncrypted('a'.repeat(40))).toBe(false)
})
