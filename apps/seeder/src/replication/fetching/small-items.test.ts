import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Manifest } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { createHashing, describe, type Hashing } from '../../ingest/index.ts'
import { openLibrary, type Library } from '../../library/index.ts'
import { Room } from '../members/room.ts'
import { HolderClient } from './holder-client.ts'
import { SmallItems } from './small-items.ts'

const log = pino({ level: 'silent' })
const pieceLength = 16_384

let folder: string
let hashing: Hashing
let library: Library
let egress: Egress
let room: Room
let closers: (() => Promise<unknown>)[]
let contents: Map<string, Buffer>
let manifest: Manifest
let metainfo: Uint8Array
let asked: string[]
let poisoned: string[]
let came: number

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** An item of these files, as its publisher describes it. */
function publish(name: string, files: Record<string, Buffer>): void {
  contents = new Map(Object.entries(files))
  const all = Buffer.concat([...contents.values()])
  const pieces: Buffer[] = []
  for (let at = 0; at < all.length; at += pieceLength) {
    pieces.push(
      createHash('sha1')
        .update(all.subarray(at, at + pieceLength))
        .digest(),
    )
  }
  const listed = [...contents].map(([path, bytes]) => ({
    path,
    size: bytes.length,
    sha256: sha256(bytes),
    type: 'text/plain',
  }))
  const described = describe({ name, size: all.length, pieceLength, pieces: Buffer.concat(pieces), files: listed })
  metainfo = described.metainfo
  manifest = {
    infoHash: described.infoHash,
    name,
    size: all.length,
    pieceLength,
    files: listed,
    trackers: [],
    replicas: { min: 1, target: 3 },
    access: 'public',
    createdAt: 1,
    state: 'live',
  }
}

async function holder(listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''))
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers as a node that holds the item. */
const honest: RequestListener = (request, response) => {
  const url = decodeURIComponent(request.url ?? '')
  const place = url.slice(`/v1/media/${manifest.infoHash}/ws/`.length)
  const bytes = contents.get(contents.size === 1 ? place : place.slice(manifest.name.length + 1))
  if (url.endsWith('/torrent')) response.end(metainfo)
  else if (bytes === undefined) response.writeHead(404).end()
  else response.end(bytes)
}

const small = (): SmallItems =>
  new SmallItems({
    library,
    client: new HolderClient({ egress, authorize: () => Promise.resolve({}) }),
    room,
    passage: () => ({ most: Infinity, pass: () => undefined, end: () => undefined }),
    poisoned: (infoHash, source) => {
      expect(infoHash).toBe(manifest.infoHash)
      poisoned.push(source)
    },
    log,
  })

async function fetched(holders: string[]): Promise<Buffer[] | undefined> {
  const whole = await small().fetch(manifest, holders, (bytes) => (came += bytes), AbortSignal.timeout(10_000))
  if (whole === undefined) return undefined
  expect(whole.files).toEqual(manifest.files)
  const { staging } = whole
  const bytes = staging.bytes ?? (await Promise.all(manifest.files.map((_file, n) => readFile(staging.filePath(n)))))
  expect((await room.measure()).free).toBe(1_000_000 - manifest.size)
  await staging.discard()
  expect((await room.measure()).free).toBe(1_000_000)
  return bytes.map((one) => Buffer.from(one))
}

beforeEach(async () => {
  ;[closers, asked, poisoned, came] = [[], [], [], 0]
  folder = await mkdtemp(join(tmpdir(), 'eldernode-small-'))
  hashing = createHashing()
  library = await openLibrary({ folder, digest: hashing.digest })
  egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  room = new Room({ folder, capacityBytes: 1_000_000, used: () => 0 })
})

afterEach(async () => {
  for (const close of closers) await close()
  await egress.close()
  library.close()
  await hashing.close()
  await rm(folder, { recursive: true })
})

test.each([
  ['of one file', { 'a ü#.bin': randomBytes(40_000) }, 1],
  ['of one larger file', { 'a ü#.bin': randomBytes(300_000) }, 1],
  ['of several files', { 'x/1.bin': randomBytes(20_000), 'x/y ?.bin': randomBytes(3) }, 2],
])('an item %s comes by one request for each file, whole and described', async (_what, files, requests) => {
  publish(Object.keys(files).length === 1 ? 'a ü#.bin' : 'an item', files)
  expect(await fetched([await holder(honest)])).toEqual(Object.values(files))
  expect(asked).toHaveLength(requests)
})

test('an item that was made elsewhere is described by the .torrent of its holder', async () => {
  publish('a.bin', { 'a.bin': randomBytes(50_000) })
  // A key that this node would not write.
  metainfo = Buffer.concat([Buffer.from(metainfo).subarray(0, -2), Buffer.from('6:source1:xee')])
  const info = metainfo.subarray(Buffer.from(metainfo).indexOf('4:info') + 6, -1)
  manifest = { ...manifest, infoHash: createHash('sha1').update(info).digest('hex') }
  expect(await fetched([await holder(honest)])).toEqual([...contents.values()])
  expect(asked).toHaveLength(2)
  const liar = await holder((request, response) => {
    if (request.url?.endsWith('/torrent') === true) response.end(metainfo)
    else response.end(Buffer.alloc(50_000))
  })
  expect(await fetched([liar])).toBe(undefined)
  expect(poisoned).toEqual([liar])
})

test.each<[string, RequestListener, least: number, most: number]>([
  ['refuses', (_request, response) => response.writeHead(503).end('not now'), 0, 0],
  ['gives too little', (_request, response) => response.end('short'), 5, 5],
  ['gives too much', (_request, response) => response.end(Buffer.alloc(200_000)), 50_001, 200_000],
  ['breaks off', (request) => request.socket.destroy(), 0, 0],
  ['gives wrong bytes', (_request, response) => response.end(Buffer.alloc(50_000)), 50_000, 50_000],
])(
  'a holder that %s is passed over for the next one, and its bytes are told of',
  async (what, listener, least, most) => {
    publish('a.bin', { 'a.bin': randomBytes(50_000) })
    const bad = await holder((request, response) => {
      if (what === 'gives wrong bytes' && request.url?.endsWith('/torrent') === true) response.end(metainfo)
      else listener(request, response)
    })
    expect(await fetched([bad])).toBe(undefined)
    expect(came).toBeGreaterThanOrEqual(least)
    expect(came).toBeLessThanOrEqual(most)
    expect((await room.measure()).free).toBe(1_000_000)
    expect(await fetched([bad, await holder(honest)])).toEqual([...contents.values()])
    expect(poisoned).toEqual(what === 'gives wrong bytes' ? [bad, bad] : [])
  },
)

test('a holder that falls silent is passed over after two seconds', async () => {
  publish('a.bin', { 'a.bin': randomBytes(50_000) })
  const silent = await holder((_request, response) => response.writeHead(200).write('a few bytes'))
  const start = performance.now()
  expect(await fetched([silent, await holder(honest)])).toEqual([...contents.values()])
  expect(performance.now() - start).toBeLessThan(6_000)
})

test('bytes that are the torrent’s and not those that were signed are nobody’s fault but the publisher’s', async () => {
  publish('a.bin', { 'a.bin': randomBytes(50_000) })
  const files = manifest.files.map((file) => ({ ...file, sha256: sha256(randomBytes(1)) }))
  manifest = { ...manifest, files }
  await expect(fetched([await holder(honest)])).rejects.toMatchObject({ code: 'content_mismatch' })
  expect(poisoned).toEqual([])
  expect((await room.measure()).free).toBe(1_000_000)
})

test('what is large, of many files, or has no room, is not taken', async () => {
  publish('a.bin', { 'a.bin': randomBytes(50_000) })
  expect(small().takes(manifest)).toBe(true)
  expect(small().takes({ ...manifest, size: 2 ** 20 + 1 })).toBe(false)
  expect(small().takes({ ...manifest, filesDigest: sha256(randomBytes(1)) })).toBe(false)
  expect(small().takes({ ...manifest, files: Array.from({ length: 17 }, () => manifest.files).flat() })).toBe(false)
  room = new Room({ folder, capacityBytes: 10_000, used: () => 0 })
  await expect(fetched([await holder(honest)])).rejects.toMatchObject({ code: 'no_room' })
  expect(asked).toEqual([])
})
