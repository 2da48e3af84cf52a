import { rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, itemOf, metainfoOf, put, tempFolder } from './fixtures/item.ts'
import { type Library, openLibrary, type TokenRecord } from './index.ts'

const day = 86_400_000
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

const token: TokenRecord = {
  id: '0123456789abcdef',
  hash: new Uint8Array(32).fill(7),
  owner: 'alice',
  label: 'phone',
  scopes: ['media:write', 'media:delete'],
  createdAt: 5,
}

test('tokens outlive a restart, newest first, until they are removed', async () => {
  const later = { ...token, id: 'f'.repeat(16), reader: 'age1x', createdAt: 6, expiresAt: 100 }
  library.tokens.add(token)
  library.tokens.add(later)
  library.close()
  library = await openLibrary({ folder, digest })
  expect(library.tokens.list()).toEqual([later, token])
  expect(library.tokens.get(token.id)).toEqual(token)
  expect(library.tokens.count()).toBe(2)
  library.tokens.removeExpired(100)
  expect(library.tokens.count()).toBe(2)
  library.tokens.removeExpired(101)
  expect(library.tokens.list()).toEqual([token])
  expect(library.tokens.remove(token.id)).toBe(true)
  expect(library.tokens.remove(token.id)).toBe(false)
  expect(library.tokens.get(token.id)).toBeUndefined()
})

test('usage follows each item until its bytes are removed, and a day counts what was removed too', async () => {
  const { item } = await put(library, ['12345', '678'], { owner: 'alice', createdAt: 3 * day })
  await put(library, ['12'], { owner: 'alice', name: 'second', createdAt: 3 * day + 1 })
  await put(library, ['the operator has no usage'], { name: 'third' })
  expect(library.quotas.usage('alice')).toEqual({ bytes: 10, items: 2 })
  expect(library.quotas.usage('')).toEqual({ bytes: 0, items: 0 })
  library.retract(item.infoHash, 5)
  expect(library.quotas.usage('alice')).toEqual({ bytes: 10, items: 2 })
  await library.purge(item.infoHash, 5)
  expect(library.quotas.usage('alice')).toEqual({ bytes: 2, items: 1 })
  expect(library.quotas.bytesOn('alice', 3)).toBe(10)
  await put(library, ['1'], { owner: 'alice', name: 'next day', createdAt: 4 * day })
  expect([library.quotas.bytesOn('alice', 3), library.quotas.bytesOn('alice', 4)]).toEqual([0, 1])
  library.close()
  library = await openLibrary({ folder, digest })
  expect(library.quotas.usage('alice')).toEqual({ bytes: 3, items: 2 })
})

test('an item counts before anybody else has a turn', async () => {
  const item = itemOf(['12345'], { owner: 'alice' })
  const staging = await library.stage()
  await writeFile(staging.filePath(0), '12345')
  let used = 0
  const committed = () => (used = library.quotas.usage('alice').bytes)
  await library.commit(staging, item, metainfoOf(item), { committed })
  expect(used).toBe(5)
})

test('the same bytes again are counted once', async () => {
  await put(library, ['same'], { owner: 'alice' })
  await put(library, ['same'], { owner: 'bob' })
  expect([library.quotas.usage('alice').bytes, library.quotas.usage('bob').bytes]).toEqual([4, 0])
})

test('a preview counts by its bytes alone', async () => {
  const { item } = await put(library, ['123'], { owner: 'alice', about: { previewOf: 'a'.repeat(40) } })
  expect(library.quotas.usage('alice')).toEqual({ bytes: 3, items: 0 })
  await library.remove(item.infoHash)
  expect(library.quotas.usage('alice')).toEqual({ bytes: 0, items: 0 })
  expect(library.quotas.owners('', 10)).toEqual([])
})

test('quotas of single owners are kept, listed with those who have items, and taken back', async () => {
  library.quotas.set('carol', { bytes: 0, items: 3 })
  library.quotas.set('carol', { items: 4, bytesPerDay: 5 })
  await put(library, ['a'], { owner: 'alice' })
  await put(library, ['b'], { owner: 'bob' })
  expect(library.quotas.get('carol')).toEqual({ items: 4, bytesPerDay: 5 })
  expect(library.quotas.owners('', 2)).toEqual(['alice', 'bob'])
  expect(library.quotas.owners('bob', 2)).toEqual(['carol'])
  library.quotas.set('carol', {})
  expect(library.quotas.get('carol')).toEqual({})
  expect(library.quotas.owners('bob', 2)).toEqual([])
})

test('a private item gives way to another one with its bytes, whichever is older', async () => {
  const { item: hidden } = await put(library, ['x'], { owner: 'alice', access: 'private', createdAt: 1 })
  expect(library.bySha256(hidden.sha256)?.infoHash).toBe(hidden.infoHash)
  const { item: open } = await put(library, ['x'], { name: 'open', createdAt: 2 })
  expect(library.bySha256(hidden.sha256)?.infoHash).toBe(open.infoHash)
  expect((await library.file(hidden.sha256))?.infoHash).toBe(open.infoHash)
  expect(library.head(hidden.sha256)).toMatchObject({ infoHash: open.infoHash, access: 'public' })
})

test('a list holds what its audience may see', async () => {
  const names = (...[audience]: Parameters<Library['list']>[0]['audience'][]) =>
    library.list({ limit: 10, ...(audience && { audience }) }).items.map(({ name }) => name)
  await put(library, ['1'], { name: 'public', createdAt: 5 })
  await put(library, ['2'], { name: 'unlisted', owner: 'alice', access: 'unlisted', createdAt: 4 })
  await put(library, ['3'], { name: 'private', owner: 'alice', access: 'private', createdAt: 3 })
  await put(library, ['4'], { name: 'of another node', access: 'unlisted', createdAt: 2 })
  expect(names()).toEqual(['public', 'unlisted', 'private', 'of another node'])
  expect(names({ owner: '', readsPrivate: true })).toEqual(['public'])
  expect(names({ owner: 'bob', readsPrivate: true })).toEqual(['public'])
  expect(names({ owner: 'alice', readsPrivate: false })).toEqual(['public', 'unlisted'])
  expect(names({ owner: 'alice', readsPrivate: true })).toEqual(['public', 'unlisted', 'private'])
})
