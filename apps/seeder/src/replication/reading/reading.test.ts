import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentSha256, type Manifest } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { createHashing, createIngest, type Hashing } from '../../ingest/index.ts'
import { openLibrary, type Library } from '../../library/index.ts'
import { createSwarm, type Swarm, type WholeTorrent } from '../../swarm/index.ts'
import { Arrivals } from '../fetching/arrivals.ts'
import { ItemFetcher } from '../fetching/item-fetcher.ts'
import { KnownContent } from './known-content.ts'
import { Reading } from './reading.ts'
import { Room } from '../members/room.ts'

vi.setConfig({ testTimeout: 30_000 })

const log = pino({ level: 'silent' })
const patience = { timeout: 15_000, interval: 10 }
const size = 3_000_000
const limits = { idleMs: 10_000, startMs: 10_000, windowMs: 10_000, bytesPerSecond: 1 }

let folder: string
let hashing: Hashing
let library: Library
let egress: Egress
let holder: Swarm
let swarm: Swarm
let manifest: Manifest
let metainfo: Uint8Array
let bytes: Buffer
let begun: number
let arrivals: Arrivals
let fetcher: ItemFetcher
let now: number

const swarmOf = async (open: (infoHash: string) => Promise<WholeTorrent | undefined>): Promise<Swarm> => {
  const made = createSwarm({ port: 0, host: '127.0.0.1', trackers: [], shelf: { open }, egress, logger: log })
  await made.start()
  return made
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-reading-'))
  hashing = createHashing()
  library = await openLibrary({ folder, digest: hashing.digest })
  egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  bytes = randomBytes(size)
  async function* content() {
    yield bytes
  }
  async function* files() {
    yield { path: 'a.bin', bytes: content() }
  }
  const made = await createIngest({ hashing, stage: () => library.stage(), maxItemBytes: size }).receive(files(), {})
  await made.staging.discard()
  metainfo = made.metainfo
  const { infoHash, name, pieceLength } = made
  manifest = {
    infoHash,
    name,
    size,
    pieceLength,
    files: made.files,
    trackers: [],
    replicas: { min: 1, target: 3 },
    access: 'public',
    createdAt: 1,
    state: 'live',
  }
  const path = join(folder, 'held')
  await writeFile(path, bytes)
  holder = await swarmOf(async () => ({ infoHash, metainfo, files: [{ path, size }] }))
  holder.seed(infoHash)
  swarm = await swarmOf(async () => undefined)
  ;[begun, now] = [0, 1000]
  arrivals = arrivalsOf({})
  fetcher = new ItemFetcher({
    graph: { get: () => ({ kind: 'm', pub: 'p', ts: 1, soul: '', key: '', hidden: false, body: manifest as never }) },
    library,
    arrivals,
    swarm: { fetch: (request) => swarm.fetch({ ...request, webSeeds: [] }), downloadLimit: () => 0 },
    client: { metainfo: () => Promise.resolve(metainfo), files: () => Promise.reject(new Error('not asked for')) },
    room: new Room({ folder, capacityBytes: 0, used: () => 0 }),
    hash: hashing.digest,
    contentDigest: contentSha256,
    small: { takes: () => false, fetch: () => Promise.resolve(undefined) },
    poisoned: () => undefined,
    signers: () => [],
    sources: () => ({ peers: [`127.0.0.1:${holder.port}`], holders: ['http://127.0.0.1:9'] }),
    announces: false,
    limits,
    search: limits,
    log,
  })
})
afterEach(async () => {
  await arrivals.close()
  await Promise.all([swarm.close(), holder.close()])
  await egress.close()
  library.close()
  await hashing.close()
  await rm(folder, { recursive: true })
})

const arrivalsOf = (more: Partial<ConstructorParameters<typeof Arrivals>[0]>) =>
  new Arrivals({
    begin: (...args) => {
      begun++
      return fetcher.begin(...args)
    },
    maxBytes: 10 * size,
    maxItems: 4,
    keepMs: 0,
    failed: (error) => expect.fail(String(error)),
    ...more,
  })
const readingOf = (admits = true) =>
  new Reading({
    arrivals,
    published: (infoHash) => (infoHash === manifest.infoHash ? { publisher: 'p', manifest } : undefined),
    content: new KnownContent({
      graph: { entries: () => [{ body: manifest }] as never, watch: () => () => undefined },
      contentDigest: contentSha256,
    }),
    admits: () => admits,
    waitMs: 10_000,
    now: () => now,
  })
const staged = async () => (await readdir(join(folder, 'incoming'))).length

async function read(start = 0, end = size, signal = new AbortController().signal): Promise<Buffer> {
  const file = await readingOf().find(manifest.infoHash)
  const source = await file?.open([{ start, end }], signal)
  const content = Buffer.alloc(end - start)
  try {
    for (let at = start; at < end;) {
      at += (await source?.read(content.subarray(at - start), Math.min(1_000_000, end - at), at)) ?? end
    }
  } finally {
    await source?.close()
  }
  return content
}

test('a reader gets the bytes, which then are gone', async () => {
  expect((await read()).equals(bytes)).toBe(true)
  await vi.waitFor(async () => expect(await staged()).toBe(0), patience)
  expect([library.get(manifest.infoHash), swarm.stats().torrents]).toEqual([undefined, 0])
})

test('who keeps a copy and who reads it share one transfer, and what was read of it stays', async () => {
  holder.limit({ uploadLimit: size })
  const reading = read()
  await vi.waitUntil(() => swarm.stats().torrents === 1, patience)
  const kept = fetcher.fetch({ infoHash: manifest.infoHash, publisher: 'p' }, () => {}, AbortSignal.timeout(20_000))
  expect((await reading).equals(bytes)).toBe(true)
  await kept
  expect([begun, library.get(manifest.infoHash)?.size]).toEqual([1, size])
  expect(swarm.stats().downloaded).toBeLessThan(1.5 * size)
})

test('a reader that comes while a copy is made goes on reading when the copy is in its place', async () => {
  holder.limit({ uploadLimit: size })
  const kept = fetcher.fetch({ infoHash: manifest.infoHash, publisher: 'p' }, () => {}, AbortSignal.timeout(20_000))
  const file = await readingOf().find(manifest.infoHash)
  const source = await file?.open([{ start: 0, end: size }], new AbortController().signal)
  await kept
  const content = Buffer.alloc(size)
  for (let at = 0; at < size;) at += (await source?.read(content.subarray(at), size - at, at)) ?? size
  await source?.close()
  expect(content.equals(bytes)).toBe(true)
  expect(begun).toBe(1)
})

test('bytes that are not those that the manifest names are never given whole, and not kept', async () => {
  const sha256 = createHash('sha256').update('others').digest('hex')
  manifest = { ...manifest, files: manifest.files.map((file) => ({ ...file, sha256 })) }
  await expect(read()).rejects.toMatchObject({ code: 'content_mismatch' })
  await vi.waitFor(async () => expect(await staged()).toBe(0), patience)
  await expect(
    fetcher.fetch({ infoHash: manifest.infoHash, publisher: 'p' }, () => {}, AbortSignal.timeout(20_000)),
  ).rejects.toMatchObject({ code: 'content_mismatch' })
})

test('a reader that leaves stops the transfer; one that stays goes on', async () => {
  holder.limit({ uploadLimit: size / 2 })
  const [leaves, stays] = [new AbortController(), new AbortController()]
  const gone = read(0, size, leaves.signal).catch((error: unknown) => error)
  const staying = read(0, size, stays.signal)
  await vi.waitUntil(() => swarm.stats().torrents === 1, patience)
  leaves.abort(new Error('left'))
  expect(await gone).toMatchObject({ message: 'left' })
  holder.limit({ uploadLimit: 0 })
  expect((await staying).equals(bytes)).toBe(true)
  expect(begun).toBe(1)
  await vi.waitFor(async () => expect([swarm.stats().torrents, await staged()]).toEqual([0, 0]), patience)
})

test('what is private, expired, put away or unknown is not read', async () => {
  expect(await readingOf().find('0'.repeat(40))).toBeUndefined()
  expect(await readingOf().find('0'.repeat(64))).toBeUndefined()
  expect(await readingOf().find(manifest.files[0]?.sha256 ?? '')).toMatchObject({ infoHash: manifest.infoHash })
  expect(await readingOf(false).find(manifest.infoHash)).toBeUndefined()
  manifest = { ...manifest, expiresAt: 1000 }
  expect(await readingOf().find(manifest.infoHash)).toBeUndefined()
  now = 999
  expect(await readingOf().find(manifest.infoHash)).toBeDefined()
  manifest = { ...manifest, access: 'private' }
  expect(await readingOf().find(manifest.infoHash)).toBeUndefined()
})

test('what nobody reads any more makes room; what is read does not', async () => {
  arrivals = arrivalsOf({ maxBytes: 2.5 * size, keepMs: 60_000 })
  const item = (n: number) => ({ ...manifest, infoHash: `${n}`.padStart(40, '0') })
  const uses = [1, 2].map((n) => arrivals.read(item(n), 'p'))
  expect(() => arrivals.read(item(3), 'p')).toThrow(expect.objectContaining({ code: 'reads_busy' }))
  expect(() => arrivals.read({ ...item(4), size: 3 * size }, 'p')).toThrow(
    expect.objectContaining({ code: 'reads_busy' }),
  )
  await uses[0]?.leave()
  uses.push(arrivals.read(item(3), 'p'))
  expect(uses.map(({ arrival }) => arrival.failure === undefined)).toEqual([true, true, true])
  await uses[0]?.arrival.ended
  for (const { leave } of uses.slice(1)) await leave()
})

test('what fails is not kept for the next reader', async () => {
  const infoHash = manifest.infoHash
  manifest = { ...manifest, size: size + 1 }
  await expect(read(0, 10)).rejects.toMatchObject({ code: 'fetch_failed' })
  manifest = { ...manifest, infoHash, size }
  expect((await read(0, 10)).equals(bytes.subarray(0, 10))).toBe(true)
  expect(begun).toBe(2)
})
