import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fill } from './fixtures/fill.ts'
import { digest, itemOf, put, tempFolder } from './fixtures/item.ts'
import { oldLibrary } from './fixtures/old-catalog.ts'
import { openLibrary } from './index.ts'
import type { Item, Library, ListFilter } from './index.ts'

vi.setConfig({ testTimeout: 300_000 })

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

let made = 0
const add = async (name: string, rest: Partial<Item> = {}) =>
  (await put(library, [`content ${made++}`], { name, createdAt: 1000 + made, ...rest })).item
const names = (filter: ListFilter = {}) => library.list({ limit: 100, ...filter }).items.map(({ name }) => name)

test('is found by owner, type, tag, words and time, and by all of them together', async () => {
  const files = (type: string) => ({
    files: itemOf([`content ${made}`], { name: 'x' }).files.map((f) => ({ ...f, type })),
  })
  await add('One Song', { owner: 'ann', ...files('audio/flac'), createdAt: 10, about: { tags: ['Blues', 'été ✓'] } })
  await add('Two Songs', { owner: 'bob', ...files('audio/ogg'), createdAt: 20, about: { tags: ['blues'] } })
  await add('A Film', {
    owner: 'ann',
    ...files('video/mp4'),
    createdAt: 30,
    about: { media: { artist: 'Ärzte', title: 'Song' } },
  })
  expect(names()).toEqual(['A Film', 'Two Songs', 'One Song'])
  expect(names({ owner: 'ann' })).toEqual(['A Film', 'One Song'])
  expect(names({ type: 'audio' })).toEqual(['Two Songs', 'One Song'])
  expect(names({ type: 'Audio/FLAC' })).toEqual(['One Song'])
  expect(names({ tags: ['blues'] })).toEqual(['Two Songs'])
  expect(names({ tags: ['Blues', 'été ✓'] })).toEqual(['One Song'])
  expect(names({ text: 'song ' })).toEqual(['A Film', 'One Song'])
  expect(names({ text: 'son' })).toEqual(['A Film', 'Two Songs', 'One Song'])
  expect(names({ text: 'son ' })).toEqual([])
  expect(names({ text: 'so' })).toEqual([])
  expect(names({ text: 'arzte film' })).toEqual(['A Film'])
  expect(names({ text: 'BLUES two' })).toEqual(['Two Songs'])
  expect(names({ from: 20 })).toEqual(['A Film', 'Two Songs'])
  expect(names({ until: 20 })).toEqual(['One Song'])
  expect(names({ from: 10, until: 30, owner: 'ann', type: 'audio', tags: ['Blues'], text: 'one' })).toEqual([
    'One Song',
  ])
  expect(names({ owner: 'ann', type: 'audio/ogg' })).toEqual([])
})

test.each([
  '"',
  '*',
  'a"b OR all',
  'NOT x',
  'keys : all',
  '(',
  'x^2',
  '^',
  '--',
  '\0',
  '{words} : x',
  'NEAR(a b)',
  '✓',
  '𝕏',
])('the text %j is words, and no query', async (text) => {
  await add('plain')
  expect(names({ text })).toEqual([])
  expect(names({ tags: [text] })).toEqual([])
  expect(names({ owner: text })).toEqual([])
  expect(names({ type: text })).toEqual([])
  await add(`x ${text.replaceAll('\0', '')} keys all words near not or a b 2`)
  expect(() => names({ text })).not.toThrow()
})

test('strangers see what is public, callers their own besides, and nobody else sees more', async () => {
  await add('public', { owner: 'ann' })
  await add('unlisted', { owner: 'ann', access: 'unlisted' })
  await add('private', { owner: 'ann', access: 'private' })
  await add('nobody', { access: 'unlisted' })
  const seen = (owner: string, readsPrivate = false) => names({ audience: { owner, readsPrivate } }).toSorted()
  expect(seen('')).toEqual(['public'])
  expect(seen('bob', true)).toEqual(['public'])
  expect(seen('ann')).toEqual(['public', 'unlisted'])
  expect(seen('ann', true)).toEqual(['private', 'public', 'unlisted'])
  expect(names()).toHaveLength(4)
  expect(names({ audience: { owner: '', readsPrivate: false }, text: 'unlisted' })).toEqual([])
})

test('has what is live, held and no preview, as it is now', async () => {
  const item = await add('comes and goes', { about: { tags: ['old'] } })
  await add('preview', { about: { previewOf: item.infoHash } })
  expect(names()).toEqual(['comes and goes'])
  library.about.set(item.infoHash, { tags: ['new'], media: { title: 'Renamed' } })
  expect([names({ tags: ['old'] }), names({ tags: ['new'] }), names({ text: 'renamed' })]).toEqual([
    [],
    ['comes and goes'],
    ['comes and goes'],
  ])
  library.retract(item.infoHash, 5)
  expect(names()).toEqual([])
  library.restore(item.infoHash)
  expect(names({ tags: ['new'] })).toEqual(['comes and goes'])
  await rm(library.blobPath(item.files[0]?.sha256 ?? ''))
  await library.check(item.infoHash)
  expect(names()).toEqual([])
  await library.remove(item.infoHash)
  expect(names()).toEqual([])
  await put(library, ['again'], { name: 'again' })
  expect(names()).toEqual(['again'])
})

test('a cursor stays good while items come and go, and of those of one moment none is skipped or doubled', async () => {
  for (let n = 0; n < 30; n++) await add(`${n}`, { createdAt: 500 })
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = library.list({ limit: 4, ...(cursor !== undefined && { cursor }) })
    seen.push(...page.items.map(({ name }) => name))
    cursor = page.nextCursor
    // The last one of the page goes, so that the cursor names a place without an item; and newer ones come.
    const last = page.items.at(-1)
    if (last !== undefined) await library.remove(last.infoHash)
    await add(`new ${seen.length}`, { createdAt: 600 })
  } while (cursor !== undefined)
  expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => `${29 - n}`))
})

test.each([-5, 0, Number.MAX_SAFE_INTEGER])('the moment %i of an item is no fault', async (createdAt) => {
  await add('odd', { createdAt })
  expect(names()).toEqual(['odd'])
})

test('a catalog from before there were lists gets them', async () => {
  library.close()
  await rm(folder, { recursive: true })
  folder = await tempFolder()
  const old = await oldLibrary(folder, 2, ['one', 'two', 'three'])
  library = await openLibrary({ folder, digest })
  // Written a moment ago by a version that did not say how it stopped.
  for (const { infoHash } of old) await library.verify(infoHash)
  expect(names({ type: 'text' }).toSorted()).toEqual(['one', 'three', 'two'])
  expect(names({ text: 'thr' })).toEqual(['three'])
  await add('later', { createdAt: old[0]?.createdAt ?? 0 })
  expect(names()).toHaveLength(4)
  expect(names()[0]).toBe('later')
})

test('a page of 100,000 items takes no longer than one of few, whatever is asked for', async () => {
  library.close()
  await fill(folder, 100_000)
  library = await openLibrary({ folder, digest })
  const few: Record<string, ListFilter & { cursor?: string }> = {
    'the newest': {},
    'of strangers': { audience: { owner: '', readsPrivate: false } },
    'by type': { type: 'text/plain' },
    'by a tag of every tenth': { tags: ['tenth'] },
    'by two tags that meet seldom': { tags: ['tenth', 'seventh'] },
    'by two tags that never meet': { tags: ['even', 'odd'] },
    'by owner and type': { owner: 'owner 3', type: 'text' },
    'by a word of all': { text: 'item' },
    'by a number': { text: 'item 77777' },
    'by the beginning of a word': { text: 'ite' },
    'by what nobody has': { text: 'nothing' },
    'of a time long ago': { until: 500 },
    'deep down': { cursor: library.list({ limit: 1, until: 50_000 }).nextCursor ?? '' },
  }
  for (const [what, filter] of Object.entries(few)) {
    library.list({ limit: 100, ...filter })
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now()
      library.list({ limit: 100, ...filter })
      return performance.now() - began
    })
    expect([what, Math.min(...times) < 40]).toEqual([what, true])
  }
})
