import * as fs from 'node:fs'
import * as promises from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fill } from './fixtures/fill.ts'
import { digest, put, tempFolder } from './fixtures/item.ts'
import { openLibrary } from './index.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

vi.mock('node:fs', { spy: true })
vi.mock('node:fs/promises', { spy: true })

let folder: string
beforeEach(async () => {
  folder = await tempFolder()
})
afterEach(() => promises.rm(folder, { recursive: true }))

const looks = () => vi.mocked(fs.statSync).mock.calls.length + vi.mocked(promises.stat).mock.calls.length

test('a library of 20,000 items opens without a look at a blob, after a clean stop and after another', async () => {
  await fill(folder, 20_000)
  for (let round = 0; round < 2; round++) {
    const before = looks()
    const library = await openLibrary({ folder, digest })
    expect([...library.servable()]).toHaveLength(20_000)
    expect([...library.heads()]).toHaveLength(20_000)
    expect(library.totals().items).toBe(20_000)
    expect([library.suspects(), library.damaged()]).toEqual([[], []])
    expect(looks() - before).toBe(0)
    library.close()
    const db = new DatabaseSync(`${folder}/catalog.db`)
    db.exec('UPDATE library SET clean = 0')
    db.close()
  }
})

test('an item that goes while a page of hashes is read does not end the reading', async () => {
  await fill(folder, 12_000)
  const library = await openLibrary({ folder, digest })
  const read: string[] = []
  for (const infoHash of library.servable()) {
    // The last one of the first page.
    if (read.push(infoHash) === 10_000) await library.remove(infoHash)
  }
  expect(read).toHaveLength(12_000)
  library.close()
})

test('an item of 2,000 files is opened without blocking: no file is looked at while the loop waits', async () => {
  const library = await openLibrary({ folder, digest })
  const contents = Array.from({ length: 2000 }, (_, n) => `file ${n}`)
  const { item } = await put(library, contents)
  vi.mocked(fs.statSync).mockClear()
  vi.mocked(promises.stat).mockClear()
  let turns = 0
  const timer = setInterval(() => turns++)
  expect((await library.open(item.infoHash))?.files).toHaveLength(2000)
  clearInterval(timer)
  expect(vi.mocked(fs.statSync)).not.toHaveBeenCalled()
  expect(vi.mocked(promises.stat)).toHaveBeenCalledTimes(2000)
  expect(turns).toBeGreaterThan(2)
  library.close()
})
