import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Database } from './database.ts'
import { EventTable } from './event-table.ts'
import { tempFolder } from './fixtures/item.ts'
import type { NewEventRecord } from './index.ts'

let folder: string
let db: Database
beforeEach(async () => {
  folder = await tempFolder()
  db = new Database(join(folder, 'catalog.db'))
})
afterEach(async () => {
  db.close()
  await rm(folder, { recursive: true })
})

const event: NewEventRecord = { type: 'published', infoHash: 'a'.repeat(40), owner: 'ann', access: 'private', at: 5 }
const many = (count: number) => Array.from({ length: count }, () => event)

test('events keep what was said, and their numbers rise over restarts', () => {
  const events = new EventTable(db)
  expect([events.newest(), events.oldest()]).toEqual([0, 1])
  expect(events.append([event, { ...event, data: { copies: 3 } }]).map(({ id }) => id)).toEqual([1, 2])
  db.close()
  db = new Database(join(folder, 'catalog.db'))
  const again = new EventTable(db)
  expect(again.append([{ type: 'import.started', owner: '', access: 'public', at: 6 }])[0]?.id).toBe(3)
  expect(again.after(1, 5)).toEqual([
    { ...event, id: 2, data: { copies: 3 } },
    { id: 3, type: 'import.started', owner: '', access: 'public', at: 6, data: {} },
  ])
  expect([again.get(1)?.data, again.get(9)]).toEqual([{}, undefined])
})

test('the oldest are forgotten, and their numbers are never given again', () => {
  const events = new EventTable(db, 100)
  for (let i = 0; i < 14; i++) events.append(many(100))
  expect(events.newest() - events.oldest()).toBeLessThan(1100)
  expect([events.newest(), events.get(1), events.get(1400)?.id]).toEqual([1400, undefined, 1400])
})

test('a batch that cannot be written whole is not written at all, and gives no number away', () => {
  const events = new EventTable(db)
  const broken = { ...event, type: undefined as unknown as string }
  expect(() => events.append([event, broken])).toThrow(/cannot be bound/)
  expect(events.append([event])[0]?.id).toBe(1)
  expect(events.after(0, 9)).toHaveLength(1)
})
