import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { contentSha256, pieceLengthOf } from '@eldernode/core'
import createTorrent from 'create-torrent'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { incoming, noise, openStore } from './fixtures/store.ts'
import type { Store } from './fixtures/store.ts'

// The large inputs take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const mebi = 1024 * 1024
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

interface File {
  path: string
  bytes: Uint8Array
}

let store: Store
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

/** The .torrent that create-torrent makes of the same input. */
function reference(files: File[], name?: string): Promise<Buffer> {
  const inputs = files.map(({ path, bytes }) => Object.assign(Buffer.from(bytes), { name: path }))
  const options = {
    announceList: [],
    filterJunkFiles: false,
    pieceLength: pieceLengthOf(files.reduce((sum, file) => sum + file.bytes.length, 0)),
    ...(name !== undefined && { name }),
  }
  return new Promise((resolve, reject) =>
    createTorrent(inputs, options, (error, torrent) => (error ? reject(error) : resolve(Buffer.from(torrent)))),
  )
}

/** Receives the files and compares the info dictionary byte for byte. */
async function receiveLikeReference(files: File[], options: { name?: string; expectedSize?: number; chunk?: number }) {
  const { chunk, ...rest } = options
  const ingested = await store.ingest.receive(incoming(files, chunk), rest)
  // `info` is the last key of both dictionaries.
  const info = Buffer.from(ingested.metainfo).subarray(1)
  const torrent = await reference(files, options.name)
  expect(torrent.subarray(torrent.length - info.length).equals(info)).toBe(true)
  expect(createHash('sha1').update(info.subarray(6, -1)).digest('hex')).toBe(ingested.infoHash)
  for (const [n, { bytes }] of files.entries()) {
    const { staging } = ingested
    expect(sha256(staging.bytes?.[n] ?? (await readFile(staging.filePath(n))))).toBe(sha256(bytes))
    expect(ingested.files[n]).toMatchObject({ size: bytes.length, sha256: sha256(bytes) })
  }
  return ingested
}

describe('one file', () => {
  const piece = 16_384
  test.each([1, piece - 1, piece, piece + 1, 5 * piece, 3 * mebi + 7, 32 * mebi, 32 * mebi + 1, 33 * mebi])(
    'of %i bytes has the info dictionary of create-torrent',
    async (size) => {
      const bytes = noise(size)
      const ingested = await receiveLikeReference([{ path: 'a.bin', bytes }], { expectedSize: size })
      expect(ingested).toMatchObject({ name: 'a.bin', size, sha256: sha256(bytes), pieceLength: pieceLengthOf(size) })
      expect(ingested.files).toMatchObject([{ path: 'a.bin' }])
    },
  )

  test.each([undefined, 1, 34 * mebi, 400 * mebi])(
    'of 33 MiB, announced as %s bytes, is the same',
    async (announced) => {
      const files = [{ path: 'a.bin', bytes: noise(33 * mebi) }]
      const options = announced === undefined ? {} : { expectedSize: announced }
      expect((await receiveLikeReference(files, options)).pieceLength).toBe(262_144)
    },
  )

  test('in chunks of odd lengths is the same', async () => {
    const received = async (bytes: Uint8Array, chunk: number) =>
      (await receiveLikeReference([{ path: 'a.bin', bytes }], { chunk })).size
    expect(await received(noise(2 * mebi + 5), 70_001)).toBe(2 * mebi + 5)
    expect(await received(noise(5 * mebi), 3 * mebi)).toBe(5 * mebi)
  })

  test('takes the name it is given, and else loses its folders', async () => {
    const files = [{ path: 'some/where/a.txt', bytes: Buffer.from('x') }]
    expect(await receiveLikeReference(files, {})).toMatchObject({ name: 'a.txt', files: [{ path: 'a.txt' }] })
    expect(await receiveLikeReference(files, { name: 'b' })).toMatchObject({ name: 'b', files: [{ path: 'b' }] })
  })
})

describe('several files', () => {
  const files = [
    { path: 'Röntgen/ö.txt', bytes: Buffer.from('composed') },
    { path: 'Röntgen/o\u0308-decomposed/日本語.bin', bytes: noise(40_000) },
    { path: 'Röntgen/z', bytes: noise(16_384 * 3, 2) },
    { path: 'Röntgen/a', bytes: noise(1, 3) },
    { path: 'Röntgen/😀/deep/er/b', bytes: noise(100_000, 4) },
  ]

  test('keep their order, and pieces span them', async () => {
    const ingested = await receiveLikeReference(files, { expectedSize: 189_161 })
    expect(ingested.name).toBe('Röntgen')
    expect(ingested.files.map((file) => file.path)).toEqual([
      'ö.txt',
      'o\u0308-decomposed/日本語.bin',
      'z',
      'a',
      '😀/deep/er/b',
    ])
    expect(ingested.sha256).toBe(contentSha256(ingested.files))
  })

  test('lose the folder they share under another name', async () => {
    const ingested = await receiveLikeReference(files, { name: 'other' })
    expect(ingested.name).toBe('other')
    expect(ingested.files[3]?.path).toBe('a')
  })

  test('that share no folder keep theirs, and the first names the item', async () => {
    const ingested = await receiveLikeReference([...files, { path: 'x', bytes: noise(5) }], {})
    expect(ingested.name).toBe('ö.txt')
    expect(ingested.files[3]?.path).toBe('Röntgen/a')
  })

  test('larger than announced are hashed a second time, across their bounds', async () => {
    const large = [
      { path: 'a', bytes: noise(20 * mebi + 3) },
      { path: 'b', bytes: noise(20 * mebi + 3, 2) },
    ]
    expect((await receiveLikeReference(large, { expectedSize: 5 })).pieceLength).toBe(262_144)
  })
})

test('uploads at the same time keep apart', async () => {
  const sizes = [1, 5 * mebi, 100_000, 9 * mebi, 3 * mebi, 64]
  const received = await Promise.all(
    sizes.map((size, i) => receiveLikeReference([{ path: `${i}.bin`, bytes: noise(size, i) }], { expectedSize: size })),
  )
  expect(received.map(({ size }) => size)).toEqual(sizes)
})

test('more uploads than the memory has room for get on, stalled ones notwithstanding', async () => {
  const tight = await openStore({ memoryBytes: 2 * mebi })
  const held = Promise.withResolvers<void>()
  async function* stalling() {
    yield noise(mebi + mebi / 2)
    await held.promise
    yield noise(mebi)
  }
  async function* file(bytes: AsyncIterable<Uint8Array>) {
    yield { path: 'stalled', bytes }
  }
  const stalled = [1, 2, 3].map(() => tight.ingest.receive(file(stalling()), { expectedSize: 3 * mebi }))
  const bytes = noise(6 * mebi, 5)
  const ingested = await tight.ingest.receive(incoming([{ path: 'a', bytes }]), { expectedSize: bytes.length })
  expect(ingested.sha256).toBe(sha256(bytes))
  held.resolve()
  for (const { size } of await Promise.all(stalled)) expect(size).toBe(2.5 * mebi)
  await tight.close()
})

test('chunks given away are detached once read, views of a larger buffer are not', async () => {
  const own = new Uint8Array(100_000).fill(1)
  const shared = new Uint8Array(100_000).fill(2)
  const chunks = [own, shared.subarray(0, 50_000), shared.subarray(50_000)]
  const whole = Buffer.concat(chunks)
  async function* file() {
    yield { path: 'a', bytes: Readable.from(chunks) }
  }
  const ingested = await store.ingest.receive(file(), { disposable: true })
  expect(ingested.sha256).toBe(sha256(whole))
  expect([own.length, shared.length]).toEqual([0, 100_000])
})

test('a digest reads what lies on disk', async () => {
  const bytes = noise(5 * mebi + 1)
  const { staging } = await store.ingest.receive(incoming([{ path: 'a', bytes }]), {})
  expect(await store.hashing.digest(staging.filePath(0))).toEqual({ sha256: sha256(bytes), size: bytes.length })
  await expect(store.hashing.digest(staging.filePath(1))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(store.hashing.digest(staging.filePath(0), AbortSignal.abort(new Error('enough')))).rejects.toThrow(
    'enough',
  )
})
