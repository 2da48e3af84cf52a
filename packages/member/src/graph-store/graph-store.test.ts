import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { graphStoreContract } from '@eldernode/core/testing'
import { afterAll, expect, test } from 'vitest'
import { SqliteGraphStore } from './graph-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'eldernode-graph-store-'))
const opened: SqliteGraphStore[] = []
const open = (name = `${opened.length}.db`): SqliteGraphStore => {
  const store = new SqliteGraphStore(join(folder, name))
  opened.push(store)
  return store
}
const entry = (key: string) => ({ soul: 'en1/net/o', key, ts: 1, value: `value ${key}` })

afterAll(() => {
  for (const store of opened) store.close()
  rmSync(folder, { recursive: true })
})

graphStoreContract('SqliteGraphStore', () => open())

test('entries outlive the process', () => {
  const store = open('kept.db')
  store.upsert([entry('1')], true)
  store.close()
  expect(open('kept.db').get('en1/net/o', '1')).toEqual(entry('1'))
})

test('a batch that fails is not kept in part, and the store works on', () => {
  const store = open()
  const broken = { ...entry('2'), value: undefined as unknown as string }
  expect(() => store.upsert([entry('1'), broken], true)).toThrow(/cannot be bound/)
  expect(store.get('en1/net/o', '1')).toBeUndefined()
  store.upsert([entry('1')], false)
  expect(store.get('en1/net/o', '1')).toEqual(entry('1'))
})

test('close may be called twice', () => {
  const store = open()
  store.close()
  expect(() => store.close()).not.toThrow()
})
