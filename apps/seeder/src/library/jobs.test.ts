import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, tempFolder } from './fixtures/item.ts'
import { Database } from './database.ts'
import { JobTable } from './job-table.ts'
import { openLibrary, type JobRecord, type Library } from './index.ts'

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

const reopen = async () => {
  library.close()
  library = await openLibrary({ folder, digest })
}
const job = (infoHash: string, changes: Partial<JobRecord> = {}): JobRecord => ({
  infoHash: infoHash.repeat(40),
  lane: 'new',
  addedAt: 1,
  attempts: 0,
  notBefore: 1,
  ...changes,
})

test('jobs are there after a restart, as they were last', async () => {
  library.jobs.put(job('b'))
  library.jobs.put(job('a', { lane: 'repair', attempts: 3, notBefore: 9, reason: { code: 'stalled', detail: 'why' } }))
  library.jobs.put(job('c'))
  library.jobs.delete(job('c').infoHash)
  library.jobs.put(job('b', { attempts: 1 }))
  await reopen()
  expect(library.jobs.all()).toEqual([
    job('a', { lane: 'repair', attempts: 3, notBefore: 9, reason: { code: 'stalled', detail: 'why' } }),
    job('b', { attempts: 1 }),
  ])
})

test('many changes are written before the library closes', () => {
  for (let n = 0; n < 300; n++) library.jobs.put(job('a', { infoHash: n.toString(16).padStart(40, '0') }))
  expect(library.jobs.all()).toHaveLength(300)
})

test('while the disk is full changes wait, in a bounded number; once it takes some they are written, some at a time', () => {
  const db = new Database(join(folder, 'other.db'))
  try {
    const jobs = new JobTable(db)
    // No page may be added to the file: SQLITE_FULL.
    db.row('PRAGMA max_page_count = 1')
    for (let n = 0; n < 60_000; n++) jobs.put(job('a', { infoHash: n.toString(16).padStart(40, '0') }))
    expect(() => jobs.flush()).toThrow('full')
    jobs.delete('0'.repeat(40))
    db.row('PRAGMA max_page_count = 1000000')
    const count = () => db.row<{ n: number }>('SELECT count(*) AS n FROM jobs')?.n
    jobs.flush(10)
    expect(count()).toBe(9)
    jobs.flush()
    expect(count()).toBe(49_999)
  } finally {
    db.close()
  }
})

test('a node that drains does so after a restart, until it is taken back', async () => {
  expect(library.jobs.drainingSince()).toBeUndefined()
  library.jobs.setDraining(5)
  await reopen()
  expect(library.jobs.drainingSince()).toBe(5)
  library.jobs.setDraining(undefined)
  await reopen()
  expect(library.jobs.drainingSince()).toBeUndefined()
})
