import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AnswerTable } from './answer-table.ts'
import { Database } from './database.ts'
import { tempFolder } from './fixtures/item.ts'

let folder: string
let db: Database
let table: AnswerTable

beforeEach(async () => {
  folder = await tempFolder()
  db = new Database(join(folder, 'catalog.db'))
  table = new AnswerTable(db, { bytes: 100, answers: 4 })
})

afterEach(async () => {
  db.close()
  await rm(folder, { recursive: true })
})

const id = (n: number) => new Uint8Array([n])
const keep = (n: number, size: number, now = 0) =>
  table.keep({ id: id(n), request: id(n), box: new Uint8Array(size), expiresAt: now + 10 }, now)
const kept = (now = 0) => [1, 2, 3, 4, 5, 6].filter((n) => table.get(id(n), now) !== undefined)

test('gives an answer until it expires', async () => {
  await keep(1, 10)
  expect(table.get(id(1), 9)?.box).toHaveLength(10)
  expect(table.get(id(1), 10)).toBeUndefined()
  await keep(1, 20, 10)
  expect(table.get(id(1), 19)?.box).toHaveLength(20)
})

test('keeps the first answer of a key', async () => {
  await keep(1, 10)
  await keep(1, 20)
  expect(table.get(id(1), 0)?.box).toHaveLength(10)
})

test('drops the oldest beyond its bounds, and what expired', async () => {
  for (let n = 1; n <= 5; n++) await keep(n, 10)
  expect(kept()).toEqual([2, 3, 4, 5])
  await keep(6, 80)
  expect(kept()).toEqual([4, 5, 6])
  await keep(1, 10, 10)
  expect(db.rows('SELECT n FROM answers')).toHaveLength(1)
  expect(db.row('SELECT answers, bytes FROM answer_totals')).toEqual({ answers: 1, bytes: 10 })
})
