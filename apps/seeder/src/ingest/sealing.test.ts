import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { chunkBytes, contentSha256, headBytes, payloadSizeOf, tagBytes } from '@eldernode/core'
import bencode from 'bencode'
import createTorrent from 'create-torrent'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { DigestMismatchError, EmptyFileError, HashingFailedError, type PlainItem, type Sealing } from './index.ts'
import { incoming, noise, openStore, type Store } from './fixtures/store.ts'
import { payloadCipher } from './payload-cipher.ts'

let store: Store
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

const key = noise(32, 3)
const head = noise(headBytes, 5)

/** A sealing under one known key, as good as any for what the ingest makes of it. */
function knownSealing(epilogue?: (plain: PlainItem) => Uint8Array): Sealing {
  return {
    begin: async () => ({ head, key }),
    epilogue: (plain) => epilogue?.(plain),
    rename: (name, paths) => ({ name: `sealed-${name}`, paths: paths.map((_path, n) => `${n}.age`) }),
  }
}

const receive = (files: { path: string; bytes: Uint8Array }[], sealing = knownSealing(), options = {}) =>
  store.ingest.receive(incoming(files, 50_001), { sealing, ...options })

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function opened(stored: Buffer): Buffer {
  expect(stored.subarray(0, headBytes).equals(head)).toBe(true)
  const chunks: Uint8Array[] = []
  for (let at = headBytes; at < stored.length; at += chunkBytes + tagBytes) {
    const end = Math.min(stored.length, at + chunkBytes + tagBytes)
    chunks.push(payloadCipher.open(key, chunks.length, end === stored.length, stored.subarray(at, end)))
  }
  return Buffer.concat(chunks)
}

test.each([1, 65_535, 65_536, 65_537, 131_072, 1_048_576, 1_048_577, 5_000_000])(
  'a file of %i bytes is stored as its age file, and described as both',
  async (size) => {
    const bytes = noise(size, size)
    for (const expectedSize of [0, size]) {
      const { staging, plain, ...item } = await receive([{ path: 'a.txt', bytes }], knownSealing(), { expectedSize })
      const stored = await readFile(staging.filePath(0))
      expect(opened(stored).equals(bytes)).toBe(true)
      expect(item.size).toBe(headBytes + payloadSizeOf(size))
      expect(item.files).toEqual([
        { path: '0.age', size: stored.length, sha256: sha256(stored), type: 'application/vnd.age' },
      ])
      expect(plain).toMatchObject({ name: 'a.txt', size, sha256: sha256(bytes) })
      expect(plain?.files).toMatchObject([{ path: 'a.txt', size, sha256: sha256(bytes) }])
      await staging.discard()
    }
  },
)

test('the torrent is that of the age files, and an epilogue comes last', async () => {
  const files = [
    { path: 'album/1.flac', bytes: Buffer.concat([Buffer.from('fLaC'), noise(100_000)]) },
    { path: 'album/2.txt', bytes: Buffer.from('text') },
  ]
  let told: PlainItem | undefined
  const sealing = knownSealing((plain) => {
    told = plain
    return Buffer.from('list')
  })
  const { staging, plain, ...item } = await receive(files, sealing)
  expect(item.files.map(({ path }) => path)).toEqual(['0.age', '1.age', '2.age'])
  expect(told).toEqual(plain)
  expect(plain).toMatchObject({ name: 'album', files: [{ type: 'audio/flac' }, { path: '2.txt', type: 'text/plain' }] })
  expect(plain?.sha256).toBe(contentSha256(plain?.files ?? []))
  const stored = await Promise.all([0, 1, 2].map((n) => readFile(staging.filePath(n))))
  expect(stored.map((bytes) => opened(bytes).length)).toEqual([100_004, 4, 4])
  const torrent = await new Promise<Buffer>((resolve, reject) => {
    const named = stored.map((bytes, n) => Object.assign(bytes, { name: `${n}.age` }))
    const options = { name: item.name, pieceLength: item.pieceLength }
    createTorrent(named, options, (error: Error | null, made: Uint8Array) =>
      error ? reject(error) : resolve(Buffer.from(made)),
    )
  })
  const { info } = bencode.decode(torrent) as { info: unknown }
  expect(createHash('sha1').update(bencode.encode(info)).digest('hex')).toBe(item.infoHash)
  await staging.discard()
})

test('no plaintext is on the disk at any time, of a stalling upload either', async () => {
  const marker = 'this must not be found on any disk '
  const bytes = Buffer.from(marker.repeat(100_000))
  const stalled = Promise.withResolvers<void>()
  async function* stalling() {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
    stalled.resolve()
    await new Promise(() => undefined)
  }
  async function* one() {
    yield { path: 'a', bytes: stalling() }
  }
  const abort = new AbortController()
  const receiving = store.ingest.receive(one(), { sealing: knownSealing(), signal: abort.signal })
  await stalled.promise
  const [folder = ''] = await store.incoming()
  const path = `${store.folder}/incoming/${folder}/0`
  const stored = await vi.waitUntil(async () => {
    const found = await readFile(path)
    return found.length > 2_000_000 ? found : undefined
  })
  expect(stored.includes(marker.slice(0, 16))).toBe(false)
  abort.abort(new Error('left'))
  await expect(receiving).rejects.toThrow('left')
  expect(await store.incoming()).toEqual([])
})

test('a thread that ends while it encrypts fails its upload, and no plaintext is written', async () => {
  const program = new URL('./fixtures/ending-worker.ts', import.meta.url)
  const broken = await openStore({ program, folder: `${store.folder}/broken` })
  const files = incoming([{ path: 'b', bytes: noise(3_000_000) }])
  await expect(broken.ingest.receive(files, { sealing: knownSealing() })).rejects.toThrow(HashingFailedError)
  expect(await broken.incoming()).toEqual([])
  await broken.close()
})

test('the SHA-256 that is expected is that of the plaintext', async () => {
  const bytes = noise(1000)
  const right = await receive([{ path: 'a', bytes }], knownSealing(), { sha256: sha256(bytes) })
  await right.staging.discard()
  const wrong = receive([{ path: 'a', bytes }], knownSealing(), { sha256: right.sha256 })
  await expect(wrong).rejects.toThrow(DigestMismatchError)
  expect(await store.incoming()).toEqual([])
})

test('an empty file is refused', async () => {
  await expect(receive([{ path: 'void', bytes: noise(0) }])).rejects.toThrow(EmptyFileError)
  expect(await store.incoming()).toEqual([])
})

test('encrypted and other uploads at the same time keep apart', async () => {
  const all = await Promise.all(
    Array.from({ length: 6 }, async (_, n) => {
      const bytes = noise(700_000 + n * 65_536, n + 1)
      const files = [{ path: `f${n}`, bytes }]
      const item = await (n % 2 === 0 ? receive(files) : store.ingest.receive(incoming(files), {}))
      const stored = await readFile(item.staging.filePath(0))
      await item.staging.discard()
      return (n % 2 === 0 ? opened(stored) : stored).equals(bytes)
    }),
  )
  expect(all).toEqual([true, true, true, true, true, true])
})
