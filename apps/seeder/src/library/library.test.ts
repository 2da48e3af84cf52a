import { access, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '@eldernode/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { digest, itemOf, metainfoOf, put, sha256, tempFolder } from './fixtures/item.ts'
import { openLibrary, StagingMismatchError, UnknownItemError } from './index.ts'
import type { Library } from './index.ts'

// fsync takes its time on a busy disk.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

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

async function blobNames(): Promise<string[]> {
  const names = await readdir(join(folder, 'blobs'), { recursive: true })
  return names.filter((name) => name.includes('/')).map((name) => name.slice(3))
}

const incoming = () => readdir(join(folder, 'incoming'))

async function reopen(): Promise<void> {
  library.close()
  library = await openLibrary({ folder, digest })
}

describe('commit', () => {
  test('makes staged bytes an item that is there after opening again', async () => {
    const { item, created } = await put(library, ['one', 'two', 'one'])
    expect(created).toBe(true)
    expect(item).toEqual(itemOf(['one', 'two', 'one']))
    for (let round = 0; round < 2; round++) {
      expect(library.get(item.infoHash)).toEqual(item)
      expect(Buffer.from(library.metainfo(item.infoHash) ?? [])).toEqual(metainfoOf(item))
      expect(await readFile(library.blobPath(sha256('two')), 'utf8')).toBe('two')
      expect(library.totals()).toEqual({ items: 1, bytes: 6 })
      expect((await blobNames()).toSorted()).toEqual([sha256('one'), sha256('two')].toSorted())
      expect(await incoming()).toEqual([])
      await reopen()
    }
  })

  test('of an item held stores nothing and leaves it as it is', async () => {
    const first = await put(library, ['a'], { createdAt: 1 })
    const second = await put(library, ['a'], { createdAt: 2, publisher: 'q'.repeat(43) })
    expect(second).toEqual({ item: first.item, created: false })
    library.retract(first.item.infoHash, 5)
    expect((await put(library, ['a'])).item.state).toBe('retracted')
    expect(library.totals().bytes).toBe(1)
    expect(await incoming()).toEqual([])
  })

  test('of the same item many times at once makes it once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => put(library, ['a', 'b'])))
    expect(all.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(all.map(({ item }) => JSON.stringify(item))).size).toBe(1)
    expect(library.totals()).toEqual({ items: 1, bytes: 2 })
    await reopen()
    expect(library.suspects()).toEqual([])
    expect(library.get(itemOf(['a', 'b']).infoHash)).toBeDefined()
  })

  test('keeps a blob that is there already', async () => {
    await put(library, ['same'], { name: 'a' })
    const before = await stat(library.blobPath(sha256('same')))
    await put(library, ['same', 'other'], { name: 'b' })
    expect((await stat(library.blobPath(sha256('same')))).ino).toBe(before.ino)
    expect(library.totals()).toEqual({ items: 2, bytes: 9 })
  })

  test.each(['shorter', 'much, much longer'])('refuses staged bytes that are %s', async (text) => {
    const item = itemOf(['as announced'])
    const staging = await library.stage()
    await writeFile(staging.filePath(0), text)
    await expect(library.commit(staging, item, metainfoOf(item))).rejects.toThrow(StagingMismatchError)
    expect(library.get(item.infoHash)).toBeUndefined()
    expect([await incoming(), await blobNames()]).toEqual([[], []])
  })

  test('refuses a staged file that is missing', async () => {
    const item = itemOf(['here', 'missing'])
    const staging = await library.stage()
    await writeFile(staging.filePath(0), 'here')
    await expect(library.commit(staging, item, metainfoOf(item))).rejects.toThrow('"f1" is missing')
    expect([await incoming(), await blobNames()]).toEqual([[], []])
  })

  test('refuses an item whose digest is no digest, whatever path it spells', async () => {
    const item = itemOf(['x'])
    item.files[0]!.sha256 = '../../../../tmp/escaped'
    const staging = await library.stage()
    await writeFile(staging.filePath(0), 'x')
    await expect(library.commit(staging, item, metainfoOf(item))).rejects.toThrow(InvalidInputError)
    expect([await incoming(), await blobNames()]).toEqual([[], []])
  })
})

describe('list', () => {
  test('pages from new to old, each item once, while items come and go', async () => {
    for (let n = 0; n < 10; n++) await put(library, [`${n}`], { name: `n${n}`, createdAt: 100 + Math.floor(n / 3) })
    const names: string[] = []
    let cursor: string | undefined
    for (let page = 0; page < 4; page++) {
      const { items, nextCursor } = library.list({ limit: 3, ...(cursor !== undefined && { cursor }) })
      names.push(...items.map((item) => item.name))
      expect(items).toHaveLength(page < 3 ? 3 : 1)
      cursor = nextCursor
      if (page === 1) await put(library, ['late'], { name: 'late', createdAt: 200 })
    }
    expect(cursor).toBeUndefined()
    expect(names.toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `n${n}`))
    const times = names.map((name) => Math.floor(Number(name.slice(1)) / 3))
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })

  test('ends with a full last page', async () => {
    for (const name of ['a', 'b']) await put(library, [name], { name })
    expect(library.list({ limit: 2 })).not.toHaveProperty('nextCursor')
  })

  test('leaves retracted items out', async () => {
    const { item } = await put(library, ['a'])
    library.retract(item.infoHash, 10)
    expect(library.list({ limit: 5 }).items).toEqual([])
    expect([...library.all()].map((each) => each.state)).toEqual(['retracted'])
  })
})

test('a list has the first files of an item and says how many there are', async () => {
  const contents = Array.from({ length: 130 }, (_, n) => `file ${n}`)
  await put(library, contents)
  const [first] = library.list({ limit: 5 }).items
  expect([first?.files.length, first?.fileCount]).toEqual([100, 130])
  const [listed] = library.list({ limit: 5, files: 2 }).items
  expect(listed?.files.map(({ path }) => path)).toEqual(['f0', 'f1'])
})

test('servable are live items that are held, across pages, and the patchy ones', async () => {
  const live: string[] = []
  for (const name of ['a', 'b', 'c']) live.push((await put(library, [name], { name })).item.infoHash)
  const retracted = await put(library, ['r'], { name: 'r' })
  library.retract(retracted.item.infoHash, 5)
  const lost = await put(library, ['lost'], { name: 'lost' })
  await rm(library.blobPath(sha256('lost')))
  await library.check(lost.item.infoHash)
  library.quarantinePiece(live[1] ?? '', 0)
  expect([...library.servable()].toSorted()).toEqual(live.toSorted())
  expect([...library.heads()].map(({ infoHash, state }) => `${infoHash} ${state}`).toSorted()).toEqual(
    [`${live[0]} live`, `${live[2]} live`, `${retracted.item.infoHash} retracted`].toSorted(),
  )
  expect(library.head(lost.item.infoHash)).toMatchObject({ state: 'live', publisher: lost.item.publisher })
})

test('all reads every item once, in infohash order, across pages', async () => {
  const hashes: string[] = []
  for (let n = 0; n < 300; n += 25) {
    const batch = Array.from({ length: 25 }, (_, i) => put(library, ['x'], { name: `item ${n + i}` }))
    hashes.push(...(await Promise.all(batch)).map(({ item }) => item.infoHash))
  }
  expect([...library.all()].map((item) => item.infoHash)).toEqual(hashes.toSorted())
})

test('a content is known by its oldest live item', async () => {
  const first = await put(library, ['x'], { name: 'first', createdAt: 5 })
  await put(library, ['x'], { name: 'second', createdAt: 6 })
  const name = () => library.bySha256(sha256('x'))?.name
  expect(name()).toBe('first')
  library.retract(first.item.infoHash, 0)
  expect(name()).toBe('second')
  library.restore(first.item.infoHash)
  expect(name()).toBe('first')
  const folderItem = await put(library, ['x', 'y'])
  expect(library.bySha256(folderItem.item.sha256)?.files).toHaveLength(2)
  expect(library.bySha256(sha256('y'))).toBeUndefined()
})

test('refusals are kept until they end or are taken back', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]
  library.refuse(a, 100, 0)
  library.refuse(b, 200, 0)
  library.refuse(a, 150, 0)
  expect(library.refused(100).map(({ infoHash, until }) => [infoHash, until])).toEqual([
    [a, 150],
    [b, 200],
  ])
  library.refuse(c, 300, 150)
  expect(library.refused(0).map(({ infoHash }) => infoHash)).toEqual([b, c])
  library.forgive(b)
  expect(library.refused(0)).toEqual([{ infoHash: c, until: 300 }])
})

describe('retraction', () => {
  test('is undone by restore, and due at its time', async () => {
    const { item } = await put(library, ['x'])
    library.retract(item.infoHash, 1000)
    expect(library.get(item.infoHash)).toEqual({ ...item, state: 'retracted', purgeAfter: 1000 })
    expect(library.totals()).toEqual({ items: 0, bytes: 1 })
    expect(library.purgeable(999)).toEqual([])
    expect(library.purgeable(1000).map((each) => each.infoHash)).toEqual([item.infoHash])
    library.restore(item.infoHash)
    expect(library.get(item.infoHash)).toEqual(item)
    expect(library.purgeable(2000)).toEqual([])
    expect(library.totals()).toEqual({ items: 1, bytes: 1 })
  })

  test('of an unknown item is an error', () => {
    expect(() => library.retract('0'.repeat(40), 0)).toThrow(UnknownItemError)
    expect(() => library.restore('0'.repeat(40))).toThrow(UnknownItemError)
  })
})

test("an item whose publisher lost its key is its successor's from then on, and nothing else of it changes", async () => {
  const { item } = await put(library, ['x'])
  const successor = 's'.repeat(43)
  library.inherit(item.infoHash, successor)
  expect(library.get(item.infoHash)).toEqual({ ...item, publisher: successor })
  expect(library.head(item.infoHash)?.publisher).toBe(successor)
  library.inherit('0'.repeat(40), successor)
  expect(library.get('0'.repeat(40))).toBeUndefined()
})

describe('remove', () => {
  test('drops the bytes that no other item needs', async () => {
    const a = await put(library, ['shared', 'own'], { name: 'a' })
    const b = await put(library, ['shared'], { name: 'b' })
    await library.remove(a.item.infoHash)
    expect(library.get(a.item.infoHash)).toBeUndefined()
    expect(library.metainfo(a.item.infoHash)).toBeUndefined()
    expect(await blobNames()).toEqual([sha256('shared')])
    expect(library.totals()).toEqual({ items: 1, bytes: 6 })
    await library.remove(b.item.infoHash)
    await library.remove(b.item.infoHash)
    expect([await blobNames(), await incoming()]).toEqual([[], []])
    expect(library.totals()).toEqual({ items: 0, bytes: 0 })
  })

  test('beside commits of the same bytes never takes them from the item that stays', async () => {
    for (let round = 0; round < 20; round++) {
      const old = await put(library, ['contested'], { name: `old ${round}` })
      const [fresh] = await Promise.all([
        put(library, ['contested'], { name: `new ${round}` }),
        new Promise((resolve) => setImmediate(resolve)).then(() => library.remove(old.item.infoHash)),
      ])
      await access(library.blobPath(sha256('contested')))
      expect(await library.check(fresh.item.infoHash)).toBe(true)
      await library.remove(fresh.item.infoHash)
      expect(await blobNames()).toEqual([])
    }
  })
})

test('a blob is named by a SHA-256 and nothing else', () => {
  for (const name of ['', '..', 'a', 'A'.repeat(64), `${'a'.repeat(64)}/..`, '../../../etc/passwd'])
    expect(() => library.blobPath(name)).toThrow(InvalidInputError)
})
