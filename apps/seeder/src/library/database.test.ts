import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Database } from './database.ts'
import { tempFolder } from './fixtures/item.ts'

let folder: string
let db: Database
beforeEach(async () => {
  folder = await tempFolder()
  db = new Database(join(folder, 'catalog.db'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  db.close()
  await rm(folder, { recursive: true })
})

const refuse = (hash: string) => db.run('INSERT INTO refusals VALUES (?, 1)', hash)
const kept = () =>
  db.rows<{ info_hash: string }>('SELECT info_hash FROM refusals ORDER BY 1').map((row) => row.info_hash)

test('what is asked for together is written once, and each outcome is its own', async () => {
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec')
  const outcomes = await Promise.allSettled([
    db.together(() => refuse('a')),
    db.together(() => {
      refuse('b')
      throw new Error('no')
    }),
    db.together(() => {
      refuse('c')
      return 'third'
    }),
  ])
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
    1,
    'Error: no',
    'third',
  ])
  expect(kept()).toEqual(['a', 'c'])
  expect(exec.mock.calls.filter(([text]) => text === 'COMMIT')).toHaveLength(1)
})

test('when the write fails all fail, and nothing is kept', async () => {
  const exec = DatabaseSync.prototype.exec
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function full(this: DatabaseSync, text: string) {
    if (text === 'COMMIT') throw new Error('database or disk is full')
    exec.call(this, text)
  })
  const outcomes = await Promise.allSettled([db.together(() => refuse('a')), db.together(() => refuse('b'))])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  vi.restoreAllMocks()
  expect(kept()).toEqual([])
  await db.together(() => refuse('c'))
  expect(kept()).toEqual(['c'])
})

test('an outcome is not told before it is durable', async () => {
  const other = new DatabaseSync(join(folder, 'catalog.db'), { readOnly: true })
  await db.together(() => refuse('a'))
  expect(other.prepare('SELECT count(*) AS n FROM refusals').get()?.['n']).toBe(1)
  other.close()
})
