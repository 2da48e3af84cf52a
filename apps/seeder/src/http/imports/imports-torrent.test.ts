import { createHash, randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { Importing, site } from '../testing/importing.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { makeToken } from '../testing/tokens.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const settings = { imports: { parallel: 4, allowPrivate: true, retries: 0 }, http: { maxUploadBytes: 2_000_000 } }
let node: TestNode
let other: TestNode
let imports: Importing

beforeAll(async () => {
  ;[node, other] = await Promise.all([startTestNode(settings), startTestNode()])
  imports = new Importing(node)
})
afterEach(async () => {
  await node.swept()
})
afterAll(async () => {
  await Promise.all([node.stop(), other.stop()])
})

async function set(changed: Parameters<TestNode['restart']>[0]): Promise<void> {
  onTestFinished(() => node.restart(settings))
  await node.restart(changed)
}

interface Far {
  magnet: string
  infoHash: string
  sha256: string
  torrent: string
  bytes: Buffer
}

/** An item of two files that another node of another network publishes. */
async function published(size = 700_000): Promise<Far> {
  const bytes = randomBytes(size)
  const form = new FormData()
  form.append('file', new Blob([bytes.subarray(0, 100_000)]), 'far/one')
  form.append('file', new Blob([bytes.subarray(100_000)]), 'far/deep/two')
  const item = (await (await other.ask('/v1/media', { method: 'POST', body: form })).json()) as Far
  const torrent = await (await other.ask(`/v1/media/${item.infoHash}/torrent`)).arrayBuffer()
  return { ...item, bytes, torrent: Buffer.from(torrent).toString('base64') }
}

const withoutWebSeed = (magnet: string): string => magnet.replace(/&ws=[^&]*/g, '')

interface Made {
  pieceLength?: number
  more?: string
  files?: string
  webSeed?: string
  order?: 'odd'
}

/** A .torrent of one file, in base64. */
function torrentOf(bytes: Buffer, { pieceLength = 16_384, more = '', files, webSeed, order }: Made = {}) {
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceLength) }, (_, n) =>
    createHash('sha1')
      .update(bytes.subarray(n * pieceLength, (n + 1) * pieceLength))
      .digest(),
  )
  const name = randomBytes(8).toString('hex')
  const content = files === undefined ? `6:lengthi${bytes.length}e` : `5:filesl${files}e`
  const called = `4:name16:${name}`
  const begin = `d${order === 'odd' ? called + content : content + called}`
  const all = Buffer.concat(pieces)
  const info = Buffer.concat([
    Buffer.from(`${begin}12:piece lengthi${pieceLength}e6:pieces${all.length}:`),
    all,
    Buffer.from(`${more}e`),
  ])
  const seed = webSeed === undefined ? '' : `8:url-list${webSeed.length}:${webSeed}`
  const torrent = Buffer.concat([Buffer.from('d4:info'), info, Buffer.from(`${seed}e`)])
  return { torrent: torrent.toString('base64'), infoHash: createHash('sha1').update(info).digest('hex') }
}

/** A web seed (BEP 19) of one file. */
const seedOf =
  (bytes: Buffer): RequestListener =>
  (request, response) => {
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = bytes.subarray(Number(from), Number(to) + 1)
    response
      .writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}`, 'content-length': part.length })
      .end(part)
  }

test.each([
  { what: 'a magnet with a peer', body: ({ magnet }: Far) => ({ magnet: withoutWebSeed(magnet) }) },
  { what: 'a magnet with a peer and a web seed', body: ({ magnet }: Far) => ({ magnet }) },
  { what: 'a .torrent with a web seed', body: ({ torrent }: Far) => ({ torrent }) },
])('$what is kept under its own infohash', async ({ body }) => {
  const { infoHash, sha256, bytes, ...far } = await published()
  const source = body({ infoHash, sha256, bytes, ...far })
  const done = await imports.run({ ...source, access: 'unlisted', sha256, tags: ['far'] })
  expect(done).toMatchObject({ state: 'done', infoHash, bytes: bytes.length })
  const item = await (await node.ask(`/v1/media/${infoHash}`)).json()
  expect(item).toMatchObject({ name: 'far', size: bytes.length, access: 'unlisted', sha256 })
  const two = await node.ask(`/v1/media/${infoHash}/content/deep/two`)
  expect(Buffer.from(await two.arrayBuffer()).equals(bytes.subarray(100_000))).toBe(true)
  // Once more, it is here.
  expect(await imports.run(source)).toMatchObject({ state: 'done', infoHash })
})

test('files without a byte, twice the same path and another case stay as they are', async () => {
  const bytes = randomBytes(40_000)
  const url = await site((request, response) => {
    const at = request.url?.endsWith('/two') === true ? 30_000 : 0
    seedOf(bytes.subarray(at, at === 0 ? 30_000 : 40_000))(request, response)
  })
  const entry = (path: string, length: number): string => `d6:lengthi${length}e4:pathl${path.length}:${path}ee`
  const files = [entry('one', 30_000), entry('none', 0), entry('two', 10_000), entry('none', 0), entry('ONE', 0)]
  const { torrent, infoHash } = torrentOf(bytes, { files: files.join(''), webSeed: `${url}/` })
  expect(await imports.run({ torrent })).toMatchObject({ state: 'done', infoHash })
  const listed = (await (await node.ask(`/v1/media/${infoHash}/files`)).json()) as { path: string; size: number }[]
  expect(listed.map(({ path, size }) => [path, size])).toEqual([
    ['one', 30_000],
    ['none', 0],
    ['two', 10_000],
    ['none', 0],
    ['ONE', 0],
  ])
  const two = await node.ask(`/v1/media/${infoHash}/content/two`)
  expect(Buffer.from(await two.arrayBuffer()).equals(bytes.subarray(30_000))).toBe(true)
  expect((await node.ask(`/v1/media/${infoHash}/content/none`)).status).toBe(200)
})

test('the same torrent twice at once is fetched once', async () => {
  const { magnet, torrent, infoHash } = await published()
  const begun = [await imports.begin({ magnet }), await imports.begin({ torrent }), await imports.begin({ magnet })]
  for (const view of begun) expect(await imports.over(view)).toMatchObject({ state: 'done', infoHash })
})

test('bytes that are not what was said are not published', async () => {
  const { magnet, infoHash } = await published()
  const failed = await imports.run({ magnet, sha256: 'a'.repeat(64) })
  expect(failed).toMatchObject({ state: 'failed', error: { code: 'digest_mismatch' } })
  expect((await node.ask(`/v1/media/${infoHash}`)).status).toBe(404)
})

test('a torrent that says nothing of where it is ends at once', async () => {
  const failed = await imports.run({ magnet: `magnet:?xt=urn:btih:${'a'.repeat(40)}` })
  expect(failed).toMatchObject({ state: 'failed', error: { code: 'import_no_source' } })
})

test('one that is too large is refused by its metadata', async () => {
  const { magnet, torrent, infoHash } = await published(2_000_001)
  for (const source of [{ magnet }, { torrent }]) {
    const failed = await imports.run(source)
    expect(failed).toMatchObject({ state: 'failed', bytes: 0, error: { code: 'import_refused' } })
  }
  expect((await node.ask(`/v1/media/${infoHash}`)).status).toBe(404)
})

test.each([
  ['whose publisher forbids it', { more: '7:privatei1e' }, 'import_refused'],
  ['of pieces that are too short', { pieceLength: 8192 }, 'import_refused'],
  ['whose description is out of order', { order: 'odd' as const }, 'fetch_failed'],
])('a torrent %s is not published', async (_what, made, code) => {
  const bytes = randomBytes(50_000)
  const url = await site(seedOf(bytes))
  const { torrent, infoHash } = torrentOf(bytes, { ...made, webSeed: `${url}/x` })
  expect(await imports.run({ torrent })).toMatchObject({ state: 'failed', error: { code } })
  expect((await node.ask(`/v1/media/${infoHash}`)).status).toBe(404)
})

test('a source of wrong bytes is given up', async () => {
  const bytes = randomBytes(100_000)
  const url = await site(seedOf(randomBytes(100_000)))
  const { torrent, infoHash } = torrentOf(bytes, { webSeed: `${url}/x` })
  expect(await imports.run({ torrent })).toMatchObject({ state: 'failed', error: { code: 'import_stalled' } })
  expect((await node.ask(`/v1/media/${infoHash}`)).status).toBe(404)
})

test('it leads into the network of the operator only if that is set, whatever members may', async () => {
  let asked = 0
  const bytes = randomBytes(50_000)
  const url = await site((request, response) => {
    asked++
    seedOf(bytes)(request, response)
  })
  let connected = 0
  const peer = createServer((socket) => {
    connected++
    socket.destroy()
  })
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => peer.close(() => resolve())))
  const { port } = peer.address() as AddressInfo
  const { torrent, infoHash } = torrentOf(bytes, { webSeed: `${url}/x` })
  await set({ imports: { retries: 0 } })
  const seeds = [url, `http://localhost:${new URL(url).port}`].map((seed) => `ws=${encodeURIComponent(`${seed}/x`)}`)
  const peers = [`127.0.0.1:${port}`, `localhost:${port}`, `[::ffff:7f00:1]:${port}`].map((at) => `x.pe=${at}`)
  for (const source of [{ torrent }, { magnet: `magnet:?xt=urn:btih:${infoHash}&${[...seeds, ...peers].join('&')}` }])
    expect(await imports.run(source)).toMatchObject({ state: 'failed', error: { code: 'import_no_source' } })
  expect([asked, connected]).toEqual([0, 0])
})

test('it can be called off, and goes on after a restart', async () => {
  const bytes = randomBytes(200_000)
  let held = true
  let asked = 0
  const url = await site((request, response) => {
    asked++
    if (held) response.writeHead(206).write('x')
    else seedOf(bytes)(request, response)
  })
  const { torrent, infoHash } = torrentOf(bytes, { webSeed: `${url}/x` })
  const first = await imports.begin({ torrent })
  await vi.waitFor(() => expect(asked).toBeGreaterThan(0), { timeout: 10_000 })
  expect(await imports.look(first)).toMatchObject({ state: 'running', total: bytes.length, source: '' })
  expect(await imports.cancel(first)).toMatchObject({ state: 'cancelled' })
  await node.swept()
  const before = asked
  const second = await imports.begin({ torrent })
  await vi.waitFor(() => expect(asked).toBeGreaterThan(before), { timeout: 10_000 })
  held = false
  await node.restart(settings)
  expect(await imports.over(second)).toMatchObject({ state: 'done', infoHash })
})

test('nobody publishes another owner’s private item by its infohash', async () => {
  const one = new Importing(node, (await makeToken(node, 'one', ['media:write'])).token)
  const two = new Importing(node, (await makeToken(node, 'two', ['media:write'])).token)
  const url = await site((_request, response) => response.end(randomBytes(1000)))
  const { infoHash } = await one.run({ url, access: 'private' })
  const failed = await two.run({ magnet: `magnet:?xt=urn:btih:${infoHash}` })
  expect(failed).toMatchObject({ state: 'failed', error: { code: 'import_refused' } })
})

test('an owner’s quota is kept before a byte is fetched', async () => {
  await set({ ...settings, quota: { bytes: 500_000 } })
  const { magnet } = await published()
  const one = new Importing(node, (await makeToken(node, 'poor', ['media:write'])).token)
  expect(await one.run({ magnet })).toMatchObject({
    state: 'failed',
    bytes: 0,
    error: { code: 'storage_quota_exceeded' },
  })
})
