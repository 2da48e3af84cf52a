import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, itemOf, put, sha256, tempFolder } from './fixtures/item.ts'
import { openLibrary } from './index.ts'
import type { Library } from './index.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const minute = 60_000
const old = itemOf(['old'], { name: 'old' }).infoHash
const recent = itemOf(['recent'], { name: 'recent' }).infoHash

let folder: string
let library: Library | undefined
beforeEach(async () => {
  folder = await tempFolder()
})
afterEach(async () => {
  library?.close()
  library = undefined
  await rm(folder, { recursive: true })
})

/** Has a process hold an old and a recent item, and kills it. */
async function holdAndKill(how: 'open' | 'clean'): Promise<void> {
  const program = new URL('./fixtures/hold-until-killed.ts', import.meta.url).pathname
  const args = ['--conditions=@eldernode/source', program, folder, how]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
}

test('after kill -9 what was written in the last minutes is hashed before it is served, the rest is served', async () => {
  await holdAndKill('open')
  const hashed: string[] = []
  library = await openLibrary({
    folder,
    digest: (path) => {
      hashed.push(path)
      return digest(path)
    },
  })
  expect(library.suspects()).toEqual([recent])
  expect([...library.servable()]).toEqual([old])
  expect(await library.open(old)).toBeDefined()
  expect(await library.open(recent)).toBeUndefined()
  expect(await library.file(recent)).toBeUndefined()
  expect(await library.verify(recent)).toBe(true)
  expect(await library.open(recent)).toBeDefined()
  expect(hashed).toEqual([library.blobPath(sha256('recent'))])
})

test('a blob whose bytes never reached the disk before the stop is not served', async () => {
  await holdAndKill('open')
  library = await openLibrary({ folder, digest })
  await writeFile(library.blobPath(sha256('recent')), '\0'.repeat(6))
  expect(await library.verify(recent)).toBe(false)
  expect(library.damaged()).toEqual([recent])
})

test('after a clean stop nothing is suspect', async () => {
  await holdAndKill('clean')
  library = await openLibrary({ folder, digest })
  expect(library.suspects()).toEqual([])
  expect([...library.servable()].toSorted()).toEqual([old, recent].toSorted())
})

test('what was suspect stays so over a clean stop, until it is hashed', async () => {
  await holdAndKill('open')
  for (let round = 0; round < 2; round++) {
    library = await openLibrary({ folder, digest })
    expect(library.suspects()).toEqual([recent])
    library.close()
  }
  library = undefined
})

test('signs of life are written while there is something recent, and no longer', async () => {
  let now = Date.now()
  library = await openLibrary({ folder, digest, now: () => now })
  await put(library, ['once'])
  const db = new DatabaseSync(join(folder, 'catalog.db'), { readOnly: true })
  const written = () => Number(db.prepare('SELECT alive_at FROM library').get()?.['alive_at'])
  const times: number[] = []
  for (let at = 0; at < 60; at++) {
    now += minute
    library.alive()
    times.push(written())
  }
  db.close()
  expect(times[0]).toBeGreaterThan(0)
  const last = times.at(-1)
  expect(times.filter((time) => time !== last).length).toBeGreaterThan(8)
  expect(times.filter((time) => time === last).length).toBeGreaterThan(40)
})
