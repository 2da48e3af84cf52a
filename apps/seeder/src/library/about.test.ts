import { afterEach, beforeEach, expect, test } from 'vitest'
import { DatabaseSync } from 'node:sqlite'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLibrary } from './index.ts'
import type { Item, Library } from './index.ts'
import { UnknownItemError } from './errors.ts'
import { createHash } from 'node:crypto'

let folder: string
let library: Library
const open = async () => {
  library = await openLibrary({ folder, digest: () => Promise.reject(new Error('nothing to hash')) })
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-about-'))
  await open()
})
afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

async function hold(name: string, change: Partial<Item> = {}, describe = false): Promise<Item> {
  const bytes = Buffer.from(name)
  const staging = await library.stage()
  await writeFile(staging.filePath(0), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const item: Item = {
    infoHash: createHash('sha1').update(bytes).digest('hex'),
    name,
    size: bytes.length,
    pieceLength: 16_384,
    files: [{ path: name, size: bytes.length, sha256, type: 'text/plain' }],
    sha256,
    publisher: 'p',
    replicas: { min: 1, target: 1 },
    createdAt: 1,
    state: 'live',
    owner: '',
    access: 'public',
    about: {},
    ...change,
  }
  return (await library.commit(staging, item, Buffer.from('de'), { describe })).item
}

test('what is said of an item is replaced as a whole, its tags and expiry with it', async () => {
  const { infoHash } = await hold('a', { about: { tags: ['old'], expiresAt: 50 } })
  library.about.set(infoHash, { tags: ['new', 'new'], media: { title: 'T' } })
  expect(library.get(infoHash)?.about).toEqual({ tags: ['new', 'new'], media: { title: 'T' } })
  expect(library.about.nextExpiry(0)).toBeUndefined()
  library.close()
  const db = new DatabaseSync(join(folder, 'catalog.db'))
  expect(db.prepare('SELECT tag FROM tags').all()).toEqual([{ tag: 'new' }])
  db.close()
  await open()
  expect(() => library.about.set('0'.repeat(40), {})).toThrow(UnknownItemError)
})

test('previews are found by what they are of, and are in no list', async () => {
  const parent = await hold('parent')
  const preview = await hold('preview', { about: { previewOf: parent.infoHash } })
  const elder = await hold('elder', { about: { previewOf: 'f'.repeat(40) } })
  expect(library.about.previewsOf(parent.infoHash)).toEqual([preview.infoHash])
  const both = [preview, elder].map(({ infoHash }) => infoHash).toSorted()
  expect(library.about.previews('', 10).map(({ infoHash }) => infoHash)).toEqual(both)
  expect(library.about.previews(both[0] ?? '', 10)).toMatchObject([{ infoHash: both[1] }])
  expect(library.list({ limit: 10 }).items.map(({ name }) => name)).toEqual(['parent'])
})

test('what is to be described waits from its commit on, across restarts, those tried least first', async () => {
  const [a, b] = [await hold('a', {}, true), await hold('b', {}, true)]
  await hold('plain')
  expect(library.descriptions.next(new Set())).toEqual({ infoHash: a.infoHash, tries: 0 })
  expect(library.descriptions.next(new Set([a.infoHash]))?.infoHash).toBe(b.infoHash)
  library.descriptions.tried(a.infoHash)
  library.close()
  await open()
  expect(library.descriptions.next(new Set())?.infoHash).toBe(b.infoHash)
  library.descriptions.done(b.infoHash)
  expect(library.descriptions.next(new Set())).toEqual({ infoHash: a.infoHash, tries: 1 })
  await library.remove(a.infoHash)
  expect(library.descriptions.next(new Set())).toBeUndefined()
})

test('one that is committed again, or was held before, waits no second time', async () => {
  const { infoHash } = await hold('a')
  await hold('a', {}, true)
  expect(library.descriptions.has(infoHash)).toBe(false)
})
