import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentSha256, type Manifest } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { createHashing, createIngest, type Hashing } from '../../ingest/index.ts'
import { openLibrary, type Library } from '../../library/index.ts'
import { createSwarm, type Swarm } from '../../swarm/index.ts'
import { Arrivals } from './arrivals.ts'
import { ItemFetcher, type ItemFetcherOptions } from './item-fetcher.ts'
import { Room } from '../members/room.ts'
import type { StallLimits } from './stall.ts'

const log = pino({ level: 'silent' })
const size = 1_000_000
const patient: StallLimits = { idleMs: 20_000, startMs: 20_000, windowMs: 20_000, bytesPerSecond: 1 }

let folder: string
let hashing: Hashing
let library: Library
let egress: Egress
let swarm: Swarm
let manifest: Manifest
let metainfo: Uint8Array
let bytes: Buffer
/** Bytes that were told of. */
let came: number
let closers: (() => Promise<unknown>)[]

function fetcher(peers: string[], changes: Partial<ItemFetcherOptions> = {}): ItemFetcher {
  const arrivals: Arrivals = new Arrivals({
    begin: (...args) => one.begin(...args),
    maxBytes: 0,
    maxItems: 0,
    keepMs: 0,
    failed: (error) => expect.fail(String(error)),
  })
  const one: ItemFetcher = new ItemFetcher({
    arrivals,
    graph: { get: () => ({ kind: 'm', pub: 'p', ts: 1, soul: '', key: '', hidden: false, body: manifest as never }) },
    library,
    // The peer is the only one to give bytes.
    swarm: { fetch: (request) => swarm.fetch({ ...request, webSeeds: [] }), downloadLimit: () => 0 },
    client: { metainfo: () => Promise.resolve(metainfo), files: () => Promise.reject(new Error('not asked for')) },
    room: new Room({ folder, capacityBytes: 0, used: () => 0 }),
    hash: hashing.digest,
    contentDigest: contentSha256,
    small: { takes: () => false, fetch: () => Promise.resolve(undefined) },
    poisoned: () => undefined,
    signers: () => [],
    sources: () => ({ peers, holders: peers.map(() => 'http://127.0.0.1:9999') }),
    announces: false,
    limits: patient,
    search: patient,
    log,
    ...changes,
  })
  return one
}

const fetched = (one: ItemFetcher) =>
  one.fetch({ infoHash: manifest.infoHash, publisher: 'p' }, (more) => (came += more), AbortSignal.timeout(25_000))

const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

/** A peer that says it has everything, and answers each request for a block as `answer` does (BEP 3, BEP 6). */
async function rawPeer(
  answer: (socket: Socket, piece: number, offset: number, length: number) => void,
): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const handshake = [Buffer.from('\u0013BitTorrent protocol', 'latin1'), Buffer.from('0000000000100004', 'hex')]
    socket.write(
      Buffer.concat([...handshake, Buffer.from(manifest.infoHash, 'hex'), Buffer.from('-XX0001-abcdefghijkl')]),
    )
    // Have all, unchoke.
    socket.write(Buffer.from('000000010e0000000101', 'hex'))
    let waiting = Buffer.alloc(0)
    let greeted = false
    socket.on('data', (data) => {
      waiting = Buffer.concat([waiting, data])
      if (!greeted) {
        // An offer of encryption comes first, and is not taken up.
        const at = waiting.indexOf('BitTorrent protocol')
        if (at < 0 || waiting.length < at + 67) return
        waiting = waiting.subarray(at + 67)
        greeted = true
      }
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
        const message = waiting.subarray(4, 4 + waiting.readUInt32BE(0))
        waiting = waiting.subarray(4 + message.length)
        if (message[0] !== 6) continue
        answer(socket, message.readUInt32BE(1), message.readUInt32BE(5), message.readUInt32BE(9))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const block = (piece: number, offset: number, content: Uint8Array): Buffer =>
  Buffer.concat([uint32(9 + content.length), Buffer.from([7]), uint32(piece), uint32(offset), content])

const right = (piece: number, offset: number, length: number): Buffer => {
  const at = piece * manifest.pieceLength + offset
  return block(piece, offset, bytes.subarray(at, at + length))
}

beforeEach(async () => {
  closers = []
  came = 0
  folder = await mkdtemp(join(tmpdir(), 'eldernode-fetch-'))
  hashing = createHashing()
  library = await openLibrary({ folder, digest: hashing.digest })
  egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  swarm = createSwarm({
    port: 0,
    host: '127.0.0.1',
    trackers: [],
    shelf: { open: async () => undefined },
    egress,
    logger: log,
  })
  await swarm.start()
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
})

afterEach(async () => {
  for (const close of closers) await close()
  await swarm.close()
  await egress.close()
  library.close()
  await hashing.close()
  await rm(folder, { recursive: true })
})

test('a peer with the right bytes gives the item', async () => {
  const peer = await rawPeer((socket, ...asked) => socket.write(right(...asked)))
  expect(await fetched(fetcher([peer]))).toMatchObject({ infoHash: manifest.infoHash, size })
  expect(library.get(manifest.infoHash)?.files).toEqual(manifest.files)
})

test('who signs another SHA-256 for the same torrent does not keep away what an honest publisher signed', async () => {
  const peer = await rawPeer((socket, ...asked) => socket.write(right(...asked)))
  const lying = { ...manifest, files: manifest.files.map((file) => ({ ...file, sha256: '00'.repeat(32) })) }
  const graph: ItemFetcherOptions['graph'] = {
    get: (_kind, pub) =>
      ({ kind: 'm', pub, ts: 1, soul: '', key: '', hidden: false, body: pub === 'p' ? lying : manifest }) as never,
  }
  await expect(fetched(fetcher([peer], { graph, signers: () => ['p'] }))).rejects.toMatchObject({
    code: 'content_mismatch',
  })
  expect(await fetched(fetcher([peer], { graph, signers: () => ['p', 'honest'] }))).toMatchObject({
    publisher: 'honest',
    files: manifest.files,
  })
})

test('of an item that was damaged only what is wrong is fetched again', async () => {
  const asked = new Set<number>()
  const peer = await rawPeer((socket, piece, offset, length) => {
    asked.add(piece)
    socket.write(right(piece, offset, length))
  })
  await fetched(fetcher([peer]))
  const path = library.blobPath(manifest.files[0]?.sha256 ?? '')
  const file = await open(path, 'r+')
  await file.write('wrong', 3 * manifest.pieceLength)
  await file.close()
  expect(await library.check(manifest.infoHash)).toBe(false)
  expect(await library.verify(manifest.infoHash)).toBe(false)
  expect(library.damaged()).toEqual([manifest.infoHash])
  asked.clear()
  came = 0
  await fetched(fetcher([peer]))
  expect([[...asked], came]).toEqual([[3], manifest.pieceLength])
  expect(await library.verify(manifest.infoHash, { all: true })).toBe(true)
})

test('a peer that sends wrong bytes is banned after one piece, and the item waits for others when it was the last', async () => {
  let sent = 0
  const banned: string[] = []
  const peer = await rawPeer((socket, piece, offset, length) => {
    sent += length
    socket.write(block(piece, offset, randomBytes(length)))
  })
  const one = fetcher([peer], {
    poisoned: (infoHash, source) => {
      expect(infoHash).toBe(manifest.infoHash)
      banned.push(source)
    },
    sources: () =>
      banned.length > 0 ? { peers: [], holders: [] } : { peers: [peer], holders: ['http://127.0.0.1:9999'] },
  })
  await expect(fetched(one)).rejects.toMatchObject({ code: 'poisoned' })
  expect(banned).toEqual([peer])
  expect(sent).toBeLessThan(size)
  expect(came).toBeGreaterThan(0)
  expect(came).toBeLessThanOrEqual(sent)
})

test('a peer that sends right bytes one block a while is too slow', async () => {
  const timers = new Set<NodeJS.Timeout>()
  const peer = await rawPeer((socket, ...asked) => {
    // One block every half second, whatever was asked for: the item would take half a minute.
    const wait = 500 * (timers.size + 1)
    timers.add(setTimeout(() => socket.write(right(...asked)), wait).unref())
  })
  closers.push(() => {
    for (const timer of timers) clearTimeout(timer)
    return Promise.resolve()
  })
  const limits = { idleMs: 20_000, startMs: 500, windowMs: 1_500, bytesPerSecond: 100_000 }
  await expect(fetched(fetcher([peer], { limits }))).rejects.toThrow(/bytes in [\d.]+ s, where/)
})

test('a peer that sends one byte a while is too slow', async () => {
  const peer = await rawPeer((socket, ...asked) => {
    const message = right(...asked)
    let at = 0
    const timer = setInterval(() => {
      if (socket.destroyed || at === message.length) clearInterval(timer)
      else socket.write(message.subarray(at, ++at))
    }, 50).unref()
  })
  const limits = { ...patient, startMs: 500, windowMs: 1_000, bytesPerSecond: 16_384 }
  await expect(fetched(fetcher([peer], { limits }))).rejects.toMatchObject({ code: 'stalled' })
})

test('without any source it is not even tried, unless trackers may know a peer', async () => {
  await expect(fetched(fetcher([]))).rejects.toMatchObject({ code: 'no_source' })
  expect(swarm.stats().torrents).toBe(0)
  const searching = fetched(fetcher([], { announces: true, search: { ...patient, idleMs: 500 } }))
  await expect.poll(() => swarm.stats().torrents).toBe(1)
  await expect(searching).rejects.toMatchObject({ code: 'no_source' })
})

test('a copy that is cancelled as it begins fails by itself alone', async () => {
  const cancelled = new AbortController()
  const copy = fetcher([]).fetch({ infoHash: manifest.infoHash, publisher: 'p' }, () => {}, cancelled.signal)
  cancelled.abort(new Error('cancelled at once'))
  await expect(copy).rejects.toThrow('cancelled at once')
})
