import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { incoming, noise, openStore, type Store } from './fixtures/store.ts'
import { DigestMismatchError, type IncomingFile, ItemTooLargeError } from './index.ts'

let store: Store
beforeAll(async () => {
  store = await openStore({ maxItemBytes: 5_000_000 })
})
afterAll(() => store.close())

/** A file that lies somewhere, whose bytes may be read too, unless they need not be. */
async function* lying(at: string, size: number, bytes?: AsyncIterable<Uint8Array>): AsyncGenerator<IncomingFile> {
  yield { path: 'film.bin', bytes: bytes ?? refused(), lies: { at, size } }
}

const refused = (): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('the bytes were read to be copied')) }),
})

test('bytes that lie on the disk become the item where they lie, as if they had been copied', async () => {
  const bytes = noise(3_000_001, 7)
  const at = join(store.folder, 'upload')
  await writeFile(at, bytes)
  const { ino } = await stat(at)
  const copied = await store.ingest.receive(incoming([{ path: 'film.bin', bytes }]), { expectedSize: bytes.length })
  const { staging: copy, ...expected } = copied
  await copy.discard()
  for (const expectedSize of [bytes.length, 1_000_000]) {
    const { staging, ...adopted } = await store.ingest.receive(lying(at, bytes.length), { expectedSize })
    expect(adopted).toEqual(expected)
    await staging.discard()
  }
  // It is still there for who tries again.
  expect((await readFile(at)).equals(bytes)).toBe(true)

  const { item } = await store.commit(await store.ingest.receive(lying(at, bytes.length), {}))
  const path = store.library.blobPath(item.files[0]?.sha256 ?? '')
  expect((await stat(path)).ino).toBe(ino)
  await unlink(at)
  expect(store.library.condition(item.infoHash)).toBe('held')
  for (let position: string | undefined = ''; position !== undefined;)
    position = await store.library.survey(position, 100)
  expect(store.library.condition(item.infoHash)).toBe('held')
})

test('bytes on another disk, or of another length, are copied', async () => {
  const bytes = noise(200_000, 8)
  const elsewhere = await mkdtemp('/dev/shm/eldernode-adopting-')
  const at = join(elsewhere, 'upload')
  await writeFile(at, bytes)
  const sources = [lying(at, bytes.length, one(bytes)), lying(join(elsewhere, 'none'), bytes.length, one(bytes))]
  const here = join(store.folder, 'longer')
  await writeFile(here, Buffer.concat([bytes, bytes]))
  sources.push(lying(here, bytes.length, one(bytes)))
  const found = []
  for (const source of sources) {
    const { staging, sha256 } = await store.ingest.receive(source, {})
    expect(staging.shared).toBeUndefined()
    found.push(sha256)
    await staging.discard()
  }
  expect(new Set(found).size).toBe(1)
  await rm(elsewhere, { recursive: true })
})

test('more bytes than an item may have are refused', async () => {
  const at = join(store.folder, 'large')
  await writeFile(at, noise(5_000_001, 9))
  const source = lying(at, 5_000_001, one(noise(5_000_001, 9)))
  await expect(store.ingest.receive(source, {})).rejects.toThrow(ItemTooLargeError)
  expect(await store.incoming()).toEqual([])
})

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

test('what was hashed as it came is not read at all, in however many parts it came', async () => {
  const bytes = noise(3_000_001, 10)
  const at = join(store.folder, 'hashed')
  await writeFile(at, bytes)
  const options = { expectedSize: bytes.length, declaredType: 'application/x-thing' }
  const { staging: copy, ...expected } = await store.ingest.receive(incoming([{ path: 'film.bin', bytes }]), options)
  await copy.discard()
  const hashed = store.ingest.follow(bytes.length)
  for (let from = 0, n = 1; from < bytes.length; from += n, n = Math.min(n * 3, 1_500_000))
    await hashed.update(Buffer.from(bytes.subarray(from, from + n)))
  // Another file lies there by now: it is not looked into.
  await writeFile(at, noise(3_000_001, 11))
  const { staging, ...found } = await store.ingest.receive(lying(at, bytes.length), { ...options, hashed })
  expect(found).toEqual(expected)
  await staging.discard()
  hashed.drop()
})

test('a hash of a part is none, and one that cannot be used costs nothing', async () => {
  const bytes = noise(300_000, 12)
  const at = join(store.folder, 'part')
  await writeFile(at, bytes)
  const { sha256, staging: whole } = await store.ingest.receive(lying(at, bytes.length), {})
  await whole.discard()
  const part = store.ingest.follow(bytes.length)
  await part.update(bytes.subarray(0, 100_000))
  const all = store.ingest.follow(bytes.length)
  await all.update(bytes)
  const sources = [
    { source: lying(at, bytes.length), hashed: part },
    { source: lying(join(store.folder, 'none'), bytes.length, one(bytes)), hashed: all },
    { source: incoming([{ path: 'film.bin', bytes }]), hashed: all },
  ]
  for (const { source, hashed } of sources) {
    const found = await store.ingest.receive(source, { hashed })
    expect(found.sha256).toBe(sha256)
    await found.staging.discard()
    hashed.drop()
  }
  const wrong = store.ingest.receive(lying(at, bytes.length), { hashed: await again(bytes), sha256: '0'.repeat(64) })
  await expect(wrong).rejects.toThrow(DigestMismatchError)
  expect(await store.incoming()).toEqual([])
})

async function again(bytes: Uint8Array) {
  const hashed = store.ingest.follow(bytes.length)
  await hashed.update(bytes)
  return hashed
}
