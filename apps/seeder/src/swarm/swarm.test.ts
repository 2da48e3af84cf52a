import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, truncate } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rawEntries } from './metainfo/bencode.ts'
import { FetchFailedError } from './index.ts'
import type { FetchRequest } from './index.ts'
import { Workbench } from './testing/workbench.ts'
import type { MadeTorrent } from './testing/workbench.ts'

let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})

afterEach(() => bench.close())

async function expectFetched(made: MadeTorrent, request: FetchRequest): Promise<void> {
  for (const [index, content] of made.contents.entries()) {
    expect((await readFile(request.filePath(index))).equals(content)).toBe(true)
  }
}

test('a second node fetches by infohash alone what the first seeds', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 1_000_000]])
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  expect(seeder.has(made.infoHash)).toBe(true)
  const leecher = await bench.swarm()
  const received: number[] = []
  const request = await bench.request(made, {
    peers: [`127.0.0.1:${seeder.port}`],
    onProgress: (bytes) => received.push(bytes),
  })
  const fetched = await leecher.fetch(request)
  expect(fetched.name).toBe('one.bin')
  expect(fetched.files).toEqual([{ path: 'one.bin', size: 1_000_000 }])
  await expectFetched(made, request)
  expect(
    createHash('sha1')
      .update(rawEntries(fetched.metainfo).get('info') ?? '')
      .digest('hex'),
  ).toBe(made.infoHash)
  expect(received.at(-1)).toBeGreaterThanOrEqual(1_000_000)
  expect(leecher.has(made.infoHash)).toBe(false)
  expect(leecher.stats()).toMatchObject({ torrents: 0, connections: 0 })
  expect(seeder.stats().uploaded).toBeGreaterThanOrEqual(1_000_000)
})

test('pieces span files, and files without bytes are made too', async () => {
  const made = await bench.torrent('Ordner ✓', [
    ['a/ümläut.txt', 10],
    ['a/none', 0],
    ['b.bin', 70_000],
    ['日本語/c', 1],
    ['z.bin', 16_384],
  ])
  const seeder = await bench.swarm()
  const order = ['a/none', 'a/ümläut.txt', 'b.bin', 'z.bin', '日本語/c']
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm()
  const request = await bench.request(made, { peers: [`127.0.0.1:${seeder.port}`], metainfo: made.metainfo })
  const fetched = await leecher.fetch(request)
  expect(fetched.name).toBe('Ordner ✓')
  expect(fetched.files.map(({ path }) => path).toSorted()).toEqual(order.toSorted())
  await expectFetched(made, request)
})

test('what was fetched is seeded on from where it was moved to', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 300_000]])
  const [first, second, third] = [await bench.swarm(), await bench.swarm(), await bench.swarm()]
  first.seed(made.infoHash)
  const request = await bench.request(made, { peers: [`127.0.0.1:${first.port}`] })
  const { metainfo } = await second.fetch(request)
  await first.remove(made.infoHash)
  bench.shelf.set(made.infoHash, { ...made, metainfo, files: [{ path: request.filePath(0), size: made.size }] })
  second.seed(made.infoHash)
  const again = await bench.request(made, { peers: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] })
  expect((await third.fetch(again)).name).toBe('one.bin')
  await expectFetched(made, again)
})

test.each([
  ['size', { size: 999_999 }],
  ['piece length', { pieceLength: 32_768 }],
])('metadata of another %s than promised is refused before a byte is written', async (_what, wrong) => {
  const made = await bench.torrent('one.bin', [['one.bin', 1_000_000]])
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm()
  const request = await bench.request(made, { peers: [`127.0.0.1:${seeder.port}`], ...wrong })
  await expect(leecher.fetch(request)).rejects.toThrow(FetchFailedError)
  const given = await bench.request(made, { metainfo: made.metainfo, ...wrong })
  await expect(leecher.fetch(given)).rejects.toThrow(/promised/)
  expect(await readdir(dirname(request.filePath(0)))).toEqual([])
  expect(leecher.stats().torrents).toBe(0)
})

test.each([
  ['not bencoded', 'hello'],
  ['lengths that run backwards', 'd4:infol-3:ee'],
  ['no info', 'de'],
])('a holder’s metainfo is refused: %s', async (_what, text) => {
  const made = await bench.torrent('one.bin', [['one.bin', 100]])
  const leecher = await bench.swarm()
  const request = await bench.request(made, { metainfo: Buffer.from(text) })
  await expect(leecher.fetch(request)).rejects.toThrow(FetchFailedError)
  expect(leecher.stats().torrents).toBe(0)
})

test('an abort ends a fetch with its reason, and leaves nothing connected', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 3_000_000]])
  const seeder = await bench.swarm({ limits: { uploadLimit: 200_000 } })
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm()
  const abort = new AbortController()
  const reason = new Error('no longer wanted')
  const request = await bench.request(made, {
    peers: [`127.0.0.1:${seeder.port}`],
    signal: abort.signal,
    onProgress: () => abort.abort(reason),
  })
  await expect(leecher.fetch(request)).rejects.toBe(reason)
  expect(leecher.stats()).toMatchObject({ torrents: 0, connections: 0 })
  await expect(leecher.fetch({ ...request, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('a file cut short on disk is never served as something else', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 200_000]])
  const seeder = await bench.swarm()
  await truncate(made.files[0]?.path ?? '', 100_000)
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm()
  const request = await bench.request(made, {
    peers: [`127.0.0.1:${seeder.port}`],
    signal: AbortSignal.timeout(1_500),
  })
  await expect(leecher.fetch(request)).rejects.toThrow(/timeout/)
  const stored = await readFile(request.filePath(0)).catch(() => Buffer.alloc(0))
  expect(stored.length).toBeLessThanOrEqual(98_304)
  expect(stored.equals((made.contents[0] ?? Buffer.alloc(0)).subarray(0, stored.length))).toBe(true)
  const intact = await bench.torrent('two.bin', [['two.bin', 50_000]])
  seeder.seed(intact.infoHash)
  await leecher.fetch(await bench.request(intact, { peers: [`127.0.0.1:${seeder.port}`] }))
})

test('a holder that starts late is found', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const early = await bench.swarm()
  const { port } = early
  await early.close()
  const leecher = await bench.swarm()
  const fetching = leecher.fetch(await bench.request(made, { peers: [`127.0.0.1:${port}`] }))
  const late = await bench.swarm({ port })
  late.seed(made.infoHash)
  expect((await fetching).name).toBe('one.bin')
})

test('a thousand items are seeded within seconds', async () => {
  const swarm = await bench.swarm()
  const items = await bench.variants(1_000)
  const started = performance.now()
  for (const item of items) swarm.seed(item.infoHash)
  expect(swarm.stats()).toMatchObject({ torrents: 1_000, awake: 0 })
  expect(performance.now() - started).toBeLessThan(10_000)
})

/** A peer that says nothing; `dialled` counts who called. */
async function mutePeer(): Promise<{ compact: Buffer; dialled(): number }> {
  let calls = 0
  const server = createServer((socket) => {
    calls++
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  bench.onClose(async () => void server.close())
  const compact = Buffer.from([127, 0, 0, 1, 0, 0])
  compact.writeUInt16BE((server.address() as AddressInfo).port, 4)
  return { compact, dialled: () => calls }
}

test('dials whom a tracker names for what it fetches, and nobody for what it holds whole', async () => {
  const [forHeld, forWanted] = [await mutePeer(), await mutePeer()]
  const numwant: (string | null)[] = []
  const tracker = createHttpServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    numwant.push(query.get('numwant'))
    const { compact } = query.get('left') === '0' ? forHeld : forWanted
    response.end(Buffer.concat([Buffer.from('d8:intervali60e5:peers6:'), compact, Buffer.from('e')]))
  })
  tracker.listen(0, '127.0.0.1')
  await once(tracker, 'listening')
  bench.onClose(async () => {
    tracker.close()
    tracker.closeAllConnections()
  })
  const swarm = await bench.swarm({
    trackers: [`http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`],
  })
  swarm.seed((await bench.torrent('held', [['held', 100_000]])).infoHash)
  await vi.waitFor(() => expect(numwant).toEqual(['0']))
  const stop = new AbortController()
  const wanted = await bench.torrent('wanted', [['wanted', 100_000]])
  const fetching = swarm.fetch(await bench.request(wanted, { signal: stop.signal }))
  await vi.waitFor(() => expect(forWanted.dialled()).toBeGreaterThan(0), 10_000)
  expect(forHeld.dialled()).toBe(0)
  stop.abort()
  await expect(fetching).rejects.toThrow(/abort/i)
})
