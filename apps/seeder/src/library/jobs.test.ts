import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, tempFolder } from './fixtures/item.ts'
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

test('a node that drains does so after a restart, until it is taken back', async () => {
  expect(library.jobs.drainingSince()).toBeUndefined()
  library.jobs.setDraining(5)
  await reopen()
  expect(library.jobs.drainingSince()).toBe(5)
  library.jobs.setDraining(undefined)
  await reopen()
  expect(library.jobs.drainingSince()).toBeUndefined()
})
