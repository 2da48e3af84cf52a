import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, itemOf, put, sha256, survey, tempFolder } from './fixtures/item.ts'
import { CatalogMissingError, CatalogTooNewError, DataFolderLockedError, openLibrary } from './index.ts'

// fsync takes its time on a busy disk.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: string
beforeEach(async () => {
  folder = await tempFolder()
})
afterEach(() => rm(folder, { recursive: true }))

const open = () => openLibrary({ folder, digest })

test('a second library of this process is refused until the first closes', async () => {
  const first = await open()
  await expect(open()).rejects.toThrow(DataFolderLockedError)
  await put(first, ['still works'])
  first.close()
  const second = await open()
  expect([...second.all()]).toHaveLength(1)
  second.close()
})

test('another process is refused until this one closes, and kept out by one that was killed no longer', async () => {
  const library = await open()
  const attempt = async () => {
    const program = new URL('./fixtures/open-and-wait.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['--conditions=@eldernode/source', program, folder], { stdio: 'pipe' })
    let output = ''
    child.stdout.setEncoding('utf8')
    for await (const text of child.stdout) {
      output += text as string
      if (output.endsWith('\n')) break
    }
    return { child, output: output.trim() }
  }
  const refused = await attempt()
  expect(refused.output).toBe('data_folder_locked')
  library.close()
  const taken = await attempt()
  expect(taken.output).toBe('open')
  await expect(open()).rejects.toThrow(folder)
  taken.child.kill('SIGKILL')
  await once(taken.child, 'exit')
  const again = await open()
  again.close()
})

test('leftovers of a crash are swept: staging at once, blobs of no item and what is no blob by a survey', async () => {
  const library = await open()
  const { item } = await put(library, ['kept'])
  library.close()
  const orphan = sha256('orphan')
  await writeFile(join(folder, 'blobs', orphan.slice(0, 2), orphan), 'orphan')
  await writeFile(join(folder, 'blobs', '00', 'notes.txt'), 'x')
  await mkdir(join(folder, 'incoming', 'abc', 'deep'), { recursive: true })
  await writeFile(join(folder, 'incoming', 'abc', '0'), 'half')
  await writeFile(join(folder, 'incoming', 'trash'), 'x')
  const again = await open()
  expect(await readdir(join(folder, 'incoming'))).toEqual([])
  await survey(again)
  const files = (await readdir(join(folder, 'blobs'), { recursive: true })).filter((name) => name.includes('/'))
  expect(files).toEqual([join(sha256('kept').slice(0, 2), sha256('kept'))])
  expect(again.get(item.infoHash)).toEqual(item)
  again.close()
})

test('blobs without a catalog are not swept: the start is refused', async () => {
  const library = await open()
  await put(library, ['precious'])
  library.close()
  for (const name of ['catalog.db', 'catalog.db-wal', 'catalog.db-shm']) await rm(join(folder, name), { force: true })
  for (let attempt = 0; attempt < 2; attempt++) await expect(open()).rejects.toThrow(CatalogMissingError)
  const precious = sha256('precious')
  expect(await readdir(join(folder, 'blobs', precious.slice(0, 2)))).toEqual([precious])
})

test('a catalog of a later version is refused and left alone', async () => {
  const library = await open()
  library.close()
  const db = new DatabaseSync(join(folder, 'catalog.db'))
  db.exec('PRAGMA user_version = 999')
  db.close()
  await expect(open()).rejects.toThrow(CatalogTooNewError)
  await expect(open()).rejects.toThrow('layout 999')
})

test('opening again hashes nothing', async () => {
  const library = await open()
  const { item } = await put(library, ['a', 'b'])
  library.close()
  const again = await openLibrary({ folder, digest: () => Promise.reject(new Error('hashed')) })
  expect([again.suspects(), again.damaged()]).toEqual([[], []])
  expect(again.get(item.infoHash)).toEqual(itemOf(['a', 'b']))
  await utimes(again.blobPath(sha256('a')), 1, 1)
  expect(await again.check(item.infoHash)).toBe(false)
  again.close()
})
