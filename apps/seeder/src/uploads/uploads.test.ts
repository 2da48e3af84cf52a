import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskFullError, EldernodeError, InvalidInputError } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunningHash } from '../ingest/index.ts'
import { type Item, type Library, openLibrary } from '../library/index.ts'
import type { PublishUpload } from './port.ts'
import { Uploads } from './uploads.ts'

let folder: string
let library: Library
let time: number
let fails: Error | undefined
/** Bytes that were hashed before the last one was published. */
let given: number | undefined
let published: { name: string; sha256: string; owner: string }[]
const running: Uploads[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-uploads-'))
  library = await openLibrary({ folder, digest: () => Promise.reject(new Error('nothing is hashed')) })
  time = 1_000_000
  fails = undefined
  published = []
  hashes = []
  thread = undefined
  given = undefined
})

afterEach(async () => {
  for (const uploads of running.splice(0)) await uploads.close()
  library.close()
  await rm(folder, { recursive: true })
})

/** What was hashed while it came, and whether that was given up. */
let hashes: { size: number; position: number; dropped: boolean }[]
let thread: Error | undefined

function hashing(size: number): RunningHash {
  const hash = { size, position: 0, dropped: false }
  hashes.push(hash)
  const update = async (bytes: Uint8Array) => {
    if (thread !== undefined) throw thread
    hash.position += bytes.length
  }
  return Object.assign(hash, { update, drop: () => (hash.dropped = true) }) as unknown as RunningHash
}

const publish: PublishUpload = async (files, { owner, signal, hashed }) => {
  signal.throwIfAborted()
  given = hashed?.position
  for await (const { path, bytes } of files) {
    const hash = createHash('sha256')
    for await (const chunk of bytes) hash.update(chunk)
    if (fails !== undefined) throw fails
    published.push({ name: path, sha256: hash.digest('hex'), owner })
  }
  return { item: { infoHash: 'a'.repeat(40) } as Item }
}

const open = (): Uploads => {
  const log = pino({ level: 'silent' })
  const quotas = { admit: () => ({ take: () => undefined, end: () => undefined }) }
  const uploads = new Uploads({
    library,
    publish,
    quotas,
    follow: (size) => hashing(size),
    expireAfter: 60_000,
    most: 12,
    roundMs: 10,
    now: () => time,
    log,
  })
  running.push(uploads)
  return uploads
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const wanted = { name: 'a.bin', owner: 'alice', access: 'public', replicas: { min: 1, target: 1 } } as const
const files = () => readdir(join(folder, 'uploads')).catch(() => [])

test('what was whole when the node ended is published when it starts again, once', async () => {
  const bytes = randomBytes(100_000)
  const before = open()
  const { id } = await before.begin({ size: bytes.length, metadata: {}, wanted })
  await before.append(id, one(bytes))
  await before.close()

  const after = open()
  await after.start()
  await vi.waitFor(() => expect(after.get(id).state).toBe('published'))
  expect(published).toEqual([
    { name: 'a.bin', owner: 'alice', sha256: createHash('sha256').update(bytes).digest('hex') },
  ])
  expect(await after.finish(id)).toBe('a'.repeat(40))
  expect(published).toHaveLength(1)
  expect(await files()).toEqual([])
})

test('what passes is tried again, what does not is remembered', async () => {
  const uploads = open()
  const begin = async () => {
    const { id } = await uploads.begin({ size: 3, metadata: {}, wanted })
    await uploads.append(id, one(Buffer.from('abc')))
    return id
  }
  const [first, second] = [await begin(), await begin()]
  fails = new DiskFullError(folder)
  await expect(uploads.finish(first)).rejects.toMatchObject({ code: 'disk_full' })
  expect(uploads.get(first).state).toBe('receiving')
  fails = new InvalidInputError('no')
  await expect(uploads.finish(second)).rejects.toMatchObject({ code: 'invalid_input', message: 'no' })
  fails = undefined
  await expect(uploads.finish(second)).rejects.toMatchObject({ code: 'invalid_input', message: 'no' })
  await uploads.start()
  await vi.waitFor(() => expect(uploads.get(first).state).toBe('published'))
  expect(uploads.get(second)).toMatchObject({ state: 'failed', wanted: '{}' })
  expect(await files()).toEqual([])
})

const whole = async (uploads: Uploads) => {
  const { id } = await uploads.begin({ size: 3, metadata: {}, wanted })
  await uploads.append(id, one(Buffer.from('abc')))
  return id
}

test.each([
  'type_mismatch',
  'description_too_long',
  'item_denied',
  'item_taken',
  'empty_item',
  'too_many_readers',
  'of a later version',
])('%s is the end of an upload', async (code) => {
  const uploads = open()
  const id = await whole(uploads)
  fails = new EldernodeError(code, 'never')
  await expect(uploads.finish(id)).rejects.toMatchObject({ code })
  expect(uploads.get(id)).toMatchObject({ state: 'failed', error: { code, detail: 'never' } })
  fails = undefined
  await expect(uploads.finish(id)).rejects.toMatchObject({ code })
  expect([published, await files()]).toEqual([[], []])
})

test.each(['storage_suspended', 'daily_quota_exceeded', 'hashing_failed', 'disk_unwritable', 'EMFILE', 'EIO'])(
  '%s is not the end of an upload',
  async (code) => {
    const uploads = open()
    const id = await whole(uploads)
    fails = Object.assign(new Error('later'), { code })
    await expect(uploads.finish(id)).rejects.toBe(fails)
    expect(uploads.get(id).state).toBe('receiving')
    fails = undefined
    expect(await uploads.finish(id)).toBe('a'.repeat(40))
  },
)

test('what nobody foresaw is not tried for ever, and not told to strangers', async () => {
  const uploads = open()
  const id = await whole(uploads)
  fails = new TypeError('of this program')
  await expect(uploads.finish(id)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('its log says why') as string,
  })
  expect(uploads.get(id).state).toBe('failed')
})

test('an end of the node is not the end of an upload', async () => {
  const uploads = open()
  const id = await whole(uploads)
  await uploads.close()
  await expect(uploads.finish(id)).rejects.toMatchObject({ name: 'AbortError' })
  expect(uploads.get(id).state).toBe('receiving')
})

test('a folder that is there and cannot be read stops the start', async () => {
  await writeFile(join(folder, 'uploads'), 'no folder')
  await expect(open().start()).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('nothing is removed from the disk of another library', async () => {
  const uploads = open()
  await whole(uploads)
  const [name = ''] = await files()
  await writeFile(join(folder, 'uploads', 'f'.repeat(32)), 'of another library')
  vi.spyOn(library, 'storage').mockReturnValue({ state: 'foreign', folder })
  await uploads.start()
  expect(new Set(await files())).toEqual(new Set([name, 'f'.repeat(32)]))
})

test('bytes before an error are kept, bytes that are not known to be safe are dropped', async () => {
  const uploads = open()
  const { id } = await uploads.begin({ metadata: {}, wanted })
  async function* breaks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc')
    throw new Error('gone')
  }
  await expect(uploads.append(id, breaks())).rejects.toThrow('gone')
  expect(uploads.get(id).received).toBe(3)
  await writeFile(join(folder, 'uploads', id), 'abcGARBAGE')
  expect(await uploads.append(id, one(Buffer.from('def')))).toBe(6)
  await uploads.declareSize(id, 6)
  await uploads.finish(id)
  expect(published[0]?.sha256).toBe(createHash('sha256').update('abcdef').digest('hex'))
})

test('an upload without a byte for long is forgotten, with its bytes; so are bytes of none', async () => {
  const uploads = open()
  const [old, fresh] = [await begun(uploads), await begun(uploads)]
  await writeFile(join(folder, 'uploads', 'f'.repeat(32)), 'of a crash')
  time += 50_000
  await uploads.append(fresh, one(Buffer.from('x')))
  time += 20_000
  await uploads.start()
  await vi.waitFor(() => expect(() => uploads.get(old)).toThrow(expect.objectContaining({ code: 'upload_not_found' })))
  expect(await files()).toEqual([fresh])
})

test('keeps as many as it may', async () => {
  const uploads = open()
  const all = await Promise.allSettled(Array.from({ length: 5 }, () => begun(uploads)))
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  await expect(begun(uploads)).rejects.toMatchObject({ code: 'too_many_uploads' })
})

test('an owner may have a quarter, and however many owners leave the operator its own', async () => {
  const uploads = open()
  const of = async (owner: string, count: number) => {
    const begin = () => uploads.begin({ size: 10, metadata: {}, wanted: { ...wanted, owner } })
    const all = await Promise.allSettled(Array.from({ length: count }, begin))
    return all.filter(({ status }) => status === 'fulfilled').length
  }
  const owners = ['alice', 'bob', 'carol', 'dave', 'eve']
  const got = []
  for (const owner of owners) got.push(await of(owner, 20), await of(owner, 1))
  expect(got).toEqual([3, 0, 3, 0, 3, 0, 3, 0, 0, 0])
  expect([await of('', 20), await of('', 1)]).toEqual([12, 0])
  const [first = ''] = await files()
  const { owner } = uploads.get(first)
  await uploads.remove(first)
  expect(await of(owner, 2)).toBe(1)
})

test("a revoked token's uploads end, with their bytes; what is an item stays", async () => {
  const uploads = open()
  const begin = async (token?: string) => {
    const { id } = await uploads.begin({ size: 3, metadata: {}, wanted, ...(token !== undefined && { token }) })
    return id
  }
  const [item, hers, other] = [await begin('t1'), await begin('t1'), await begin('t2')]
  await uploads.append(item, one(Buffer.from('abc')))
  await uploads.finish(item)
  const operators = (await uploads.begin({ size: 3, metadata: {}, wanted: { ...wanted, owner: '' } })).id
  await uploads.revoke('t1')
  expect(() => uploads.get(hers)).toThrow(expect.objectContaining({ code: 'upload_not_found' }))
  expect([item, other, operators].map((id) => uploads.get(id).state)).toEqual(['published', 'receiving', 'receiving'])
  expect(new Set(await files())).toEqual(new Set([other, operators]))
})

const begun = async (uploads: Uploads) => (await uploads.begin({ size: 10, metadata: {}, wanted })).id

describe('what is hashed while it comes', () => {
  const bytes = randomBytes(3_000_000)
  const parts = [bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]
  async function* failing(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
    yield chunk
    throw new Error('the connection broke')
  }

  test('is not read again, however often its client came back', async () => {
    const uploads = open()
    const { id } = await uploads.begin({ size: bytes.length, metadata: {}, wanted })
    await expect(uploads.append(id, failing(parts[0] ?? bytes))).rejects.toThrow('the connection broke')
    await uploads.append(id, one(parts[1] ?? bytes))
    await uploads.finish(id)
    expect([hashes.length, given, hashes[0]?.dropped]).toEqual([1, bytes.length, true])
  })

  test('is read again after a restart, or when a thread ended', async () => {
    const before = open()
    const { id } = await before.begin({ size: bytes.length, metadata: {}, wanted })
    await before.append(id, one(parts[0] ?? bytes))
    await before.close()
    const after = open()
    await after.append(id, one(parts[1] ?? bytes))
    await after.finish(id)
    expect([hashes.length, given]).toEqual([1, undefined])
    expect(hashes[0]?.dropped).toBe(true)

    const { id: other } = await after.begin({ size: bytes.length, metadata: {}, wanted })
    thread = new Error('hashing failed')
    await after.append(other, one(bytes))
    await after.finish(other)
    expect([given, hashes[1]?.dropped]).toEqual([undefined, true])
    expect(published).toHaveLength(2)
  })

  test('what is to be encrypted, small, or of unknown size is not hashed', async () => {
    const uploads = open()
    const encrypted = { ...wanted, encrypt: { readers: [] } }
    for (const asked of [{ size: bytes.length, wanted: encrypted }, { size: 1000, wanted }, { wanted }]) {
      const { id } = await uploads.begin({ metadata: {}, ...asked })
      await uploads.append(id, one(bytes.subarray(0, 1000)))
    }
    expect(hashes).toEqual([])
  })
})
