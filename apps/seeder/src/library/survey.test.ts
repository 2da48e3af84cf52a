import { readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digest, put, sha256, survey, tempFolder } from './fixtures/item.ts'
import { openLibrary } from './index.ts'
import type { Item, Library } from './index.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: string
let library: Library
let now: number
beforeEach(async () => {
  folder = await tempFolder()
  now = Date.now()
  library = await openLibrary({ folder, digest, now: () => now })
})
afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

test('folders and blobs that cannot be read are passed over, and the others compared all the same', async () => {
  const held: Item[] = []
  for (let n = 0; n < 20; n++) held.push((await put(library, [`blob ${n}`], { name: `item ${n}` })).item)
  const byHash = held.toSorted((one, other) => (one.sha256 < other.sha256 ? -1 : 1))
  const [first, second, last] = [byHash[0], byHash[1], byHash.at(-1)]
  if (first === undefined || second === undefined || last === undefined) throw new Error('no items')
  // A link to itself cannot be looked at, not even by root; nor can a file be listed.
  const path = library.blobPath(first.sha256)
  await rm(path)
  await symlink(path, path)
  const prefixes = await readdir(join(folder, 'blobs'))
  const empty = prefixes.find((prefix) => !held.some((item) => item.sha256.startsWith(prefix)))
  await rm(join(folder, 'blobs', empty ?? ''), { recursive: true })
  await writeFile(join(folder, 'blobs', empty ?? ''), 'no folder')
  await writeFile(library.blobPath(last.sha256), 'lost')
  const passed: unknown[] = []
  let steps = 0
  for (let at: string | undefined = ''; at !== undefined; steps++)
    at = await library.survey(at, 3, (error) => passed.push(error))
  expect(steps).toBeGreaterThanOrEqual(256)
  expect(passed).toHaveLength(2)
  expect(library.condition(last.infoHash)).toBe('damaged')
  expect(library.condition(second.infoHash)).toBe('held')
})

test('what was found wrong takes room for 30 days', async () => {
  const { item } = await put(library, ['wrong'])
  await writeFile(library.blobPath(sha256('wrong')), '!rong')
  await library.verify(item.infoHash, { all: true })
  expect(library.quarantinedBytes()).toBe(5)
  now += 29 * 86_400_000
  await survey(library)
  expect([await readdir(join(folder, 'quarantine')), library.quarantinedBytes()]).toEqual([[sha256('wrong')], 5])
  now += 2 * 86_400_000
  await survey(library)
  expect([await readdir(join(folder, 'quarantine')), library.quarantinedBytes()]).toEqual([[], 0])
})

test.each(['remove', 'purge'] as const)('%s leaves nothing of an item in quarantine', async (way) => {
  const { item } = await put(library, ['wrong', 'shared'])
  await put(library, ['shared'], { name: 'other' })
  for (const text of ['wrong', 'shared']) await writeFile(library.blobPath(sha256(text)), text.toUpperCase())
  await library.verify(item.infoHash, { all: true })
  expect(library.quarantinedBytes()).toBe(11)
  if (way === 'purge') library.retract(item.infoHash, 1)
  await (way === 'purge' ? library.purge(item.infoHash, 2) : library.remove(item.infoHash))
  expect(library.condition(item.infoHash)).toBeUndefined()
  expect([await readdir(join(folder, 'quarantine')), library.quarantinedBytes()]).toEqual([[sha256('shared')], 6])
})

test('what lies in quarantine from an earlier run is counted', async () => {
  await writeFile(join(folder, 'quarantine', sha256('old')), 'bytes')
  await survey(library)
  expect(library.quarantinedBytes()).toBe(5)
})
