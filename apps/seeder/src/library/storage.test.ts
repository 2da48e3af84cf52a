import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { access, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, itemOf, metainfoOf, put, sha256, survey, tempFolder } from './fixtures/item.ts'
import { CatalogMissingError, openLibrary, StorageSuspendedError } from './index.ts'
import type { Library, StorageState } from './index.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: string
let storage: string
let library: Library
let told: StorageState[]
beforeEach(async () => {
  folder = await tempFolder()
  storage = join(folder, 'disk')
  told = []
  library = await open()
})
afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

async function open(name = 'data'): Promise<Library> {
  const opened = await openLibrary({ folder: join(folder, name), storage, digest })
  opened.onStorage((state) => told.push(state))
  return opened
}

async function reopen(): Promise<void> {
  library.close()
  library = await open()
}

/** As an unmounted disk looks: the mount point is there and empty. */
async function unmount(): Promise<void> {
  await rename(storage, join(folder, 'elsewhere'))
  await mkdir(storage)
}

async function mount(): Promise<void> {
  await rm(storage, { recursive: true })
  await rename(join(folder, 'elsewhere'), storage)
}

test('the storage folder holds blobs, incoming and quarantine; catalog and lock stay with the data', async () => {
  await put(library, ['a'])
  expect((await readdir(storage)).toSorted()).toEqual(['blobs', 'incoming', 'quarantine'])
  expect(await readdir(join(folder, 'data'))).toContain('catalog.db')
  expect(await readdir(join(folder, 'data'))).not.toContain('blobs')
  expect(await readFile(join(storage, 'blobs', 'library-id'), 'utf8')).toMatch(/^[0-9a-f]{32}\n$/)
})

test('whether the disk is there is not asked for each file, and found out with the first that is missing', async () => {
  const { item } = await put(library, ['kept'])
  const marker = join(storage, 'blobs', 'library-id')
  const text = await readFile(marker)
  await rm(marker)
  expect((await library.file(item.infoHash))?.file).toBeDefined()
  await writeFile(marker, text)
  await unmount()
  expect(library.storage().state).toBe('here')
  await expect(library.file(item.infoHash)).rejects.toThrow(StorageSuspendedError)
  expect([library.storage().state, library.condition(item.infoHash)]).toEqual(['missing', 'held'])
  await mount()
})

test('a piece that was read wrong from a disk that is gone is not remembered, and its item held when it is back', async () => {
  const { item } = await put(library, ['kept'])
  await unmount()
  library.quarantinePiece(item.infoHash, 0)
  expect([library.storage().state, library.condition(item.infoHash)]).toEqual(['missing', 'held'])
  await mount()
  await library.look()
  expect(library.condition(item.infoHash)).toBe('held')
  library.quarantinePiece(item.infoHash, 0)
  expect(library.condition(item.infoHash)).toBe('patchy')
})

test('a folder that vanishes suspends its items, which are back with it: none is hashed, damaged or removed', async () => {
  const { item } = await put(library, ['kept'])
  const { item: gone } = await put(library, ['removed meanwhile'], { name: 'gone' })
  await unmount()
  expect(await library.open(item.infoHash)).toBeUndefined()
  expect(told).toEqual(['missing'])
  expect([...library.servable()]).toEqual([])
  await expect(library.file(item.infoHash)).rejects.toThrow(StorageSuspendedError)
  await expect(library.verify(item.infoHash, { all: true })).rejects.toThrow(StorageSuspendedError)
  await standsStill()
  await library.remove(gone.infoHash)
  expect([library.suspects(), library.damaged()]).toEqual([[], []])
  expect(library.get(item.infoHash)).toEqual(item)
  expect(library.totals().items).toBe(1)
  await mount()
  await library.look()
  expect(told).toEqual(['missing', 'here'])
  expect(await library.open(item.infoHash)).toBeDefined()
  expect([...library.servable()]).toEqual([item.infoHash])
  await survey(library)
  await expect(access(library.blobPath(sha256('removed meanwhile')))).rejects.toThrow('ENOENT')
})

async function standsStill(): Promise<void> {
  expect(await library.survey('', 100)).toBe('')
}

test('nothing is written while the folder is away, and the error has a stable code', async () => {
  const item = itemOf(['late'])
  const staging = await library.stage()
  await writeFile(staging.filePath(0), 'late')
  await unmount()
  await expect(library.commit(staging, item, metainfoOf(item))).rejects.toMatchObject({ code: 'storage_suspended' })
  await expect(library.stage()).rejects.toMatchObject({ code: 'storage_suspended' })
  expect(await readdir(storage)).toEqual([])
  expect(library.condition(item.infoHash)).toBeUndefined()
})

test('a disk that goes away amid a commit leaves no item behind', async () => {
  const item = itemOf(['amid'])
  const staging = await library.stage()
  await writeFile(staging.filePath(0), 'amid')
  let asked = 0
  const vanishing = {
    ...staging,
    filePath: (n: number) => {
      // The third time it is renamed: a folder below the mount point takes it.
      if (asked++ === 2) rmSync(join(storage, 'blobs', 'library-id'))
      return staging.filePath(n)
    },
  }
  await expect(library.commit(vanishing, item, metainfoOf(item))).rejects.toThrow(StorageSuspendedError)
  expect(asked).toBeGreaterThan(2)
  expect(library.condition(item.infoHash)).toBeUndefined()
})

test('an upload that was under way outlives a short absence', async () => {
  const item = itemOf(['under way'])
  const staging = await library.stage()
  await writeFile(staging.filePath(0), 'under way')
  await unmount()
  await library.look()
  await mount()
  await library.look()
  expect((await library.commit(staging, item, metainfoOf(item))).created).toBe(true)
})

test('a folder that comes back with its blobs alone, as from a backup, takes uploads and sets wrong blobs aside', async () => {
  const { item } = await put(library, ['kept'])
  const elsewhere = join(folder, 'elsewhere')
  for (const looked of [true, false]) {
    await unmount()
    if (looked) await library.look()
    await rm(join(elsewhere, 'incoming'), { recursive: true })
    await rm(join(elsewhere, 'quarantine'), { recursive: true })
    if (looked)
      for (const name of await readdir(join(elsewhere, 'blobs'))) await rmdirIfEmpty(join(elsewhere, 'blobs', name))
    await mount()
    await library.look()
    expect(library.storage().state).toBe('here')
    expect((await put(library, [`new ${looked}`], { name: `new ${looked}` })).created).toBe(true)
  }
  await writeFile(library.blobPath(sha256('kept')), 'KEPT')
  expect(await library.verify(item.infoHash, { all: true })).toBe(false)
  expect(await readdir(join(storage, 'quarantine'))).toEqual([sha256('kept')])
})

async function rmdirIfEmpty(path: string): Promise<void> {
  if ((await stat(path)).isDirectory() && (await readdir(path)).length === 0) await rmdir(path)
}

test('a start without the disk is a start suspended, and leaves the empty mount point alone', async () => {
  const { item } = await put(library, ['kept'])
  await unmount()
  await reopen()
  expect(library.storage()).toEqual({ folder: storage, state: 'missing' })
  expect([...library.servable()]).toEqual([])
  await library.look()
  expect(await readdir(storage)).toEqual([])
  await mount()
  await writeFile(join(storage, 'incoming', 'leftover'), 'x')
  await library.look()
  expect(told).toEqual(['here'])
  expect(await library.open(item.infoHash)).toBeDefined()
  expect(await readdir(join(storage, 'incoming'))).toEqual([])
  expect((await put(library, ['new'], { name: 'new' })).created).toBe(true)
})

test("another library's disk is not taken for the own one, and nothing on it is touched", async () => {
  const { item } = await put(library, ['kept'])
  await rename(storage, join(folder, 'elsewhere'))
  const other = await open('other')
  const { item: foreign } = await put(other, ['foreign'], { name: 'foreign' })
  expect(await library.open(item.infoHash)).toBeUndefined()
  expect(library.storage().state).toBe('foreign')
  await standsStill()
  await library.remove(item.infoHash)
  await expect(library.stage()).rejects.toThrow('another library')
  await reopen()
  expect(library.storage().state).toBe('foreign')
  expect(await other.open(foreign.infoHash)).toBeDefined()
  await survey(other)
  other.close()
})

test('a fresh data folder does not take over the disk of a library', async () => {
  await put(library, ['kept'])
  await expect(open('fresh')).rejects.toThrow(CatalogMissingError)
  await expect(open('fresh')).rejects.toThrow(CatalogMissingError)
  expect(library.storage().state).toBe('here')
})

test('a library that lost its marker and nothing else is suspended until it is put back', async () => {
  const { item } = await put(library, ['kept'])
  const marker = join(storage, 'blobs', 'library-id')
  const id = await readFile(marker)
  await rm(marker)
  await reopen()
  expect(library.storage().state).toBe('missing')
  await writeFile(marker, id)
  await library.look()
  expect(await library.open(item.infoHash)).toBeDefined()
})

const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0

test.skipIf(!mayMount)('a disk that is unmounted and mounted again', () => {
  const program = new URL('./fixtures/mounted.ts', import.meta.url).pathname
  const mounted = join(folder, 'mounted')
  const command = [process.execPath, '--conditions=@eldernode/source', program, mounted]
  const said = execFileSync('unshare', ['-m', ...command], { encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual({
    states: ['here', 'here', 'missing', 'here'],
    opened: [true, false, true],
    damaged: [],
  })
})
