import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compatStoreContract } from '@eldernode/core/testing'
import { afterAll, expect, test } from 'vitest'
import { SqliteCompatStore } from './compat-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'eldernode-compat-store-'))
const opened: SqliteCompatStore[] = []
const open = (name = `${opened.length}.db`): SqliteCompatStore => {
  const store = new SqliteCompatStore(join(folder, name))
  opened.push(store)
  return store
}

afterAll(() => {
  for (const store of opened) store.close()
  rmSync(folder, { recursive: true })
})

compatStoreContract('SqliteCompatStore', () => open())

test('values and their count outlive the process', () => {
  const store = open('kept.db')
  const value = { soul: 'albums/a', key: 'title', state: 1.5, value: '"So What"' }
  store.put('albums', [value])
  const bytes = store.bytes('albums')
  store.close()
  const again = open('kept.db')
  expect(again.get('albums/a', 'title')).toEqual(value)
  expect(again.bytes('albums')).toBe(bytes)
})

test('the file stays as small as its maps, however much is written', () => {
  const store = open('flood.db')
  for (let round = 0; round < 60; round++) {
    const values = Array.from({ length: 20 }, (_, n) => {
      const soul = `previews/${round}-${n}`
      return { soul, key: 'audioData', state: 1, value: JSON.stringify('x'.repeat(50_000)) }
    })
    store.put('previews', values)
    if (store.bytes('previews') > 5e6) store.shrink('previews', 4e6)
  }
  store.close()
  expect(statSync(join(folder, 'flood.db')).size).toBeLessThan(8e6)
})
