import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { incoming, noise, openStore, type Store } from './fixtures/store.ts'
import { type IncomingFile, ItemTooLargeError } from './index.ts'

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
