import { access } from 'node:fs/promises'
import { DiskFullError, InvalidInputError } from '@eldernode/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { EmptyFileError, EmptyItemError, HashingFailedError, ItemTooLargeError } from './index.ts'
import type { IncomingFile } from './index.ts'
import { incoming, noise, openStore } from './fixtures/store.ts'
import type { Store } from './fixtures/store.ts'

let store: Store
beforeAll(async () => {
  store = await openStore({ maxItemBytes: 3_000_000 })
})
afterEach(async () => {
  const left = await store.incoming()
  if (left.length > 0) throw new Error(`left in staging: ${left.join()}`)
})
afterAll(() => store.close())

const one = (path: string) => incoming([{ path, bytes: noise(10) }])
const long = 'a'.repeat(5000)

describe('names', () => {
  test.each([
    '',
    '.',
    '..',
    '../a',
    'a/../b',
    'a//b',
    '/etc/passwd',
    'a/',
    'C:\\a',
    'a\0b',
    'lone \ud800 surrogate',
    long,
    'ü'.repeat(128),
    'd/'.repeat(32) + 'f',
  ])('the path %j is refused', async (path) => {
    await expect(store.ingest.receive(one(path), {})).rejects.toThrow(InvalidInputError)
  })

  test.each(['', '.', '..', 'a/b', '/a', 'a\\b', 'a\0b', '\udc00', long])('the name %j is refused', async (name) => {
    await expect(store.ingest.receive(one('a'), { name })).rejects.toThrow(InvalidInputError)
  })

  test.each([
    ['a', 'a'],
    ['a/b', 'A/B'],
    ['ö', 'o\u0308'],
    ['a', 'a/b'],
    ['a/b', 'a'],
    ['x/A', 'x/a/b'],
  ])('%j beside %j is refused', async (first, second) => {
    const files = [first, second].map((path) => ({ path, bytes: noise(10) }))
    await expect(store.ingest.receive(incoming(files), {})).rejects.toThrow(InvalidInputError)
  })

  test('a refusal does not repeat a long name', async () => {
    await expect(store.ingest.receive(one(long), {})).rejects.toSatisfy((error: Error) => error.message.length < 300)
  })

  test('more than 10,000 files are refused', async () => {
    async function* many(): AsyncGenerator<IncomingFile> {
      for (let n = 0; ; n++) yield { path: `${n}`, bytes: chunks(Buffer.from('x')) }
    }
    await expect(store.ingest.receive(many(), {})).rejects.toThrow('at most 10000 files')
  }, 60_000)
})

async function* chunks(...list: Uint8Array[]) {
  yield* list
}

test('an empty file is refused, and named', async () => {
  const files = [
    { path: 'a', bytes: noise(10) },
    { path: 'void.txt', bytes: noise(0) },
  ]
  const receiving = store.ingest.receive(incoming(files), {})
  await expect(receiving).rejects.toThrow(EmptyFileError)
  await expect(receiving).rejects.toThrow('"void.txt" is empty')
})

test('no file is refused', async () => {
  await expect(store.ingest.receive(incoming([]), {})).rejects.toThrow(EmptyItemError)
})

test('more than the limit over all files is refused, up to it is taken', async () => {
  const two = (size: number) => [
    { path: 'a', bytes: noise(2_000_000) },
    { path: 'b', bytes: noise(size) },
  ]
  await expect(store.ingest.receive(incoming(two(1_000_001)), {})).rejects.toThrow(ItemTooLargeError)
  const ingested = await store.ingest.receive(incoming(two(1_000_000)), {})
  expect(ingested.size).toBe(3_000_000)
  await ingested.staging.discard()
})

/** Yields `first`, then stalls for ever. */
function stalling(first: Uint8Array) {
  const stalled = Promise.withResolvers<void>()
  async function* bytes() {
    yield first
    stalled.resolve()
    await new Promise(() => undefined)
  }
  return { bytes: bytes(), stalled: stalled.promise }
}

test('an abort ends an upload that stalls, with its reason', async () => {
  const { bytes, stalled } = stalling(noise(2_000_000))
  async function* file(): AsyncGenerator<IncomingFile> {
    yield { path: 'a', bytes }
  }
  const abort = new AbortController()
  const receiving = store.ingest.receive(file(), { signal: abort.signal, expectedSize: 3_000_000 })
  await stalled
  expect(await store.incoming()).toHaveLength(1)
  abort.abort(new Error('the client left'))
  await expect(receiving).rejects.toThrow('the client left')
})

test('an upload aborted from the start is not read', async () => {
  const signal = AbortSignal.abort(new Error('too late'))
  await expect(store.ingest.receive(one('a'), { signal })).rejects.toThrow('too late')
})

test('an error of the stream comes through, and its source is told to end', async () => {
  let ended = false
  async function* failing() {
    try {
      yield noise(2_000_000)
      throw new Error('connection reset')
    } finally {
      ended = true
    }
  }
  async function* file(): AsyncGenerator<IncomingFile> {
    yield { path: 'a', bytes: failing() }
  }
  await expect(store.ingest.receive(file(), {})).rejects.toThrow('connection reset')
  expect(ended).toBe(true)
})

test('a hash worker that dies fails its upload and nothing else', async () => {
  const program = new URL('./fixtures/ending-worker.ts', import.meta.url)
  const broken = await openStore({ program, folder: `${store.folder}/broken` })
  await expect(broken.ingest.receive(one('a'), {})).rejects.toThrow(HashingFailedError)
  await expect(broken.ingest.receive(incoming([{ path: 'b', bytes: noise(2_900_000) }]), {})).rejects.toThrow(
    HashingFailedError,
  )
  expect(await broken.incoming()).toEqual([])
  await broken.close()
  const ingested = await store.ingest.receive(one('a'), {})
  await access(ingested.staging.filePath(0))
  await ingested.staging.discard()
})

test('only running out of room is a full disk', () => {
  const error = (code: string) => Object.assign(new Error(code), { code })
  expect(DiskFullError.of(error('ENOSPC'), '/data')).toBeInstanceOf(DiskFullError)
  expect(DiskFullError.of(error('EDQUOT'), '/data')).toBeInstanceOf(DiskFullError)
  expect(DiskFullError.of(error('EIO'), '/data')).toMatchObject({ code: 'EIO' })
})
