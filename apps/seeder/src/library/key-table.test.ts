import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Database } from './database.ts'
import { TooManyReadersError } from './errors.ts'
import type { NewItemKey } from './key-port.ts'
import { KeyTable } from './key-table.ts'

let folder: string
let db: Database
let keys: KeyTable

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-keys-'))
  db = new Database(join(folder, 'catalog.db'))
  keys = new KeyTable(db, { most: 3 })
})
afterEach(async () => {
  db.close()
  await rm(folder, { recursive: true })
})

const infoHash = (n: number) => n.toString(16).padStart(40, '0')
const key = (change: Partial<NewItemKey> = {}): NewItemKey => ({
  owner: 'anna',
  content: 'c'.repeat(64),
  wrapped: new Uint8Array([1, 2]),
  readers: ['age1a'],
  ...change,
})

test('a key is kept as it was, until it is deleted with its readers', () => {
  keys.add(infoHash(1), key({ rotateEvery: 1000, rotateAt: 5 }))
  const { readers: _readers, ...kept } = key({ rotateEvery: 1000, rotateAt: 5 })
  expect(keys.get(infoHash(1))).toEqual({ infoHash: infoHash(1), ...kept })
  expect(keys.readers(infoHash(1))).toEqual([{ recipient: 'age1a', state: 'wanted' }])
  keys.delete(infoHash(1))
  expect(keys.get(infoHash(1))).toBeUndefined()
  expect(keys.readers(infoHash(1))).toEqual([])
})

test('what is decided and not published waits, and is done once', () => {
  keys.add(infoHash(1), key({ readers: ['age1a', 'age1b'] }))
  keys.add(infoHash(2), key({ readers: ['age1a'] }))
  expect(keys.unpublished(10)).toHaveLength(3)
  keys.published(infoHash(1), { recipient: 'age1a', state: 'wanted' })
  keys.setReader(infoHash(1), { recipient: 'age1b', state: 'removed' })
  expect(keys.unpublished(1)).toEqual([{ infoHash: infoHash(1), recipient: 'age1b', state: 'removed' }])
  // It was wanted when its publication began: the removal is still to be published.
  keys.published(infoHash(1), { recipient: 'age1b', state: 'wanted' })
  expect(keys.isReader(infoHash(1), 'age1b')).toBe(false)
  expect(keys.unpublished(10)).toHaveLength(2)
  keys.published(infoHash(1), { recipient: 'age1b', state: 'removed' })
  expect(keys.unpublished(10)).toEqual([{ infoHash: infoHash(2), recipient: 'age1a', state: 'wanted' }])
  expect(keys.unpublished(10, { infoHash: infoHash(2), recipient: 'age1a' })).toEqual([])
  expect(keys.readers(infoHash(1))).toEqual([{ recipient: 'age1a', state: 'granted' }])
})

test('rotations come in the order of their time, and pass on to the successor', () => {
  keys.add(infoHash(1), key({ rotateEvery: 10, rotateAt: 30 }))
  keys.add(infoHash(2), key({ rotateEvery: 10, rotateAt: 20 }))
  keys.add(infoHash(3), key())
  expect(keys.nextRotation()).toEqual({ infoHash: infoHash(2), rotateAt: 20 })
  keys.add(infoHash(4), key({ rotateEvery: 10, rotateAt: 40, replaces: infoHash(2) }))
  expect(keys.get(infoHash(2))).toMatchObject({ successor: infoHash(4) })
  expect(keys.replaced()).toEqual([infoHash(2)])
  keys.retired(infoHash(2))
  expect(keys.replaced()).toEqual([])
  expect(keys.nextRotation()).toEqual({ infoHash: infoHash(1), rotateAt: 30 })
  keys.schedule(infoHash(1), undefined)
  expect(keys.nextRotation()).toEqual({ infoHash: infoHash(4), rotateAt: 40 })
})

test('an item has a bounded number of readers', () => {
  keys.add(infoHash(1), key({ readers: Array.from({ length: 1000 }, (_, n) => `age1${n}`) }))
  const one = { recipient: 'age1-one-more', state: 'wanted' } as const
  expect(() => keys.setReader(infoHash(1), one)).toThrow(TooManyReadersError)
  expect(keys.readers(infoHash(1))).toHaveLength(1000)
})

test('of registered names the unused ones go first, the oldest of them before the others', () => {
  keys.add(infoHash(1), key({ readers: ['age1used'] }))
  keys.register({ id: 'used', recipient: 'age1used', signedAt: 1 })
  for (const [n, id] of ['b', 'c', 'd'].entries()) keys.register({ id, recipient: `age1${id}`, signedAt: n + 2 })
  expect(keys.registered('b')).toBeUndefined()
  for (const id of ['used', 'c', 'd']) expect(keys.registered(id)).toMatchObject({ id })
  expect(keys.isReader(infoHash(1), 'used')).toBe(true)
  keys.register({ id: 'c', recipient: 'age1new', signedAt: 1 })
  expect(keys.registered('c')?.recipient).toBe('age1c')
})
