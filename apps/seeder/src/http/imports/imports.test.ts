import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { EventReader } from '../testing/event-reader.ts'
import { type Import, Importing, site } from '../testing/importing.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { makeToken } from '../testing/tokens.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const settings = { imports: { parallel: 2, allowPrivate: true, retries: 0 }, http: { maxUploadBytes: 5_000_000 } }
let node: TestNode
let imports: Importing

beforeAll(async () => {
  node = await startTestNode(settings)
  imports = new Importing(node)
})
afterEach(async () => {
  await node.swept()
})
afterAll(async () => {
  await node.stop()
})

/** The same node with other settings, for this test. */
async function set(other: Parameters<TestNode['restart']>[0]): Promise<void> {
  onTestFinished(() => node.restart(settings))
  await node.restart(other)
}

const listed = async (from: Importing, query = ''): Promise<{ imports: Import[]; nextCursor?: string }> =>
  (await (await from.ask(`/v1/imports${query}`)).json()) as { imports: Import[]; nextCursor?: string }
const published = async (): Promise<unknown> => (await node.ask('/v1/media')).json()

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const content = async (infoHash: string | undefined): Promise<Buffer> =>
  Buffer.from(await (await node.ask(`/v1/media/${infoHash}/content`)).arrayBuffer())

/** A server that begins to answer, and sees its client leave. */
async function pending(): Promise<{ url: string; asked: () => number; left: () => number; open: ServerResponse[] }> {
  const open: ServerResponse[] = []
  let left = 0
  const url = await site((_request, response) => {
    open.push(response)
    response.on('close', () => left++)
    response.writeHead(200, { 'content-length': 1000 }).write('x'.repeat(10))
  })
  return { url, asked: () => open.length, left: () => left, open }
}

test('what a URL leads to is published, with what was said of it', async () => {
  const bytes = randomBytes(3_000_000)
  const base = await site((_request, response) => {
    response.setHeader('content-disposition', 'attachment; filename="a song.bin"').end(bytes)
  })
  const said = { replicas: 2, tags: ['new'], title: 'A song', sha256: sha256(bytes) }
  const done = await imports.run({ url: `${base}/get?x=1#here`, ...said })
  expect(done).toMatchObject({ state: 'done', kind: 'url', source: `${base}/get?x=1`, bytes: bytes.length })
  const item = await (await node.ask(`/v1/media/${done.infoHash}`)).json()
  expect(item).toMatchObject({ name: 'a song.bin', size: bytes.length, files: [{ sha256: sha256(bytes) }] })
  expect(done.links.item).toBe(`${node.url}/v1/media/${done.infoHash}`)
  expect((await content(done.infoHash)).equals(bytes)).toBe(true)
})

test('asked for twice with the same Idempotency-Key, it is one import', async () => {
  const base = await site((_request, response) => response.end(randomBytes(9)))
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomBytes(8).toString('hex') }
  const ask = () => imports.ask('/v1/imports', { method: 'POST', headers, body: JSON.stringify({ url: base }) })
  const [first, second] = [await ask(), await ask()]
  const view = (await first.json()) as Import
  expect([first.status, second.status, ((await second.json()) as Import).id]).toEqual([202, 202, view.id])
  expect(await imports.over(view)).toMatchObject({ state: 'done' })
})

test('a private import is encrypted before it is on disk, and read by its owner', async () => {
  const bytes = randomBytes(100_000)
  const base = await site((_request, response) => response.end(bytes))
  const done = await imports.run({ url: `${base}/secret.bin`, access: 'private' })
  expect(done).toMatchObject({ state: 'done' })
  expect((await content(done.infoHash)).equals(bytes)).toBe(true)
  expect((await fetch(`${node.url}/v1/media/${done.infoHash}`)).status).toBe(404)
})

test.each([
  ['nothing', {}, 400, 'invalid_input'],
  ['two sources', { url: 'http://a.example/', magnet: `magnet:?xt=urn:btih:${'a'.repeat(40)}` }, 400, 'invalid_input'],
  ['a misspelt option', { url: 'http://a.example/', encrypted: true }, 400, 'invalid_input'],
  ['a time gone by', { url: 'http://a.example/', expiresAt: 5 }, 400, 'invalid_input'],
  ['a way without a URL', { magnet: `magnet:?xt=urn:btih:${'a'.repeat(40)}`, through: 'yt-dlp' }, 400, 'invalid_input'],
  ['a program that is not set', { url: 'http://a.example/', through: 'yt-dlp' }, 422, 'yt_dlp_unavailable'],
  ['another program', { url: 'http://a.example/', through: 'sh' }, 400, 'invalid_input'],
  ['a file', { url: 'file:///etc/passwd' }, 422, 'import_refused'],
  ['credentials', { url: 'http://user:password@a.example/' }, 422, 'import_refused'],
  ['no URL', { url: '-oProxyCommand=x' }, 422, 'import_refused'],
  ['a magnet of version 2', { magnet: `magnet:?xt=urn:btmh:1220${'a'.repeat(64)}` }, 422, 'import_refused'],
  ['no magnet', { magnet: 'http://a.example/' }, 422, 'import_refused'],
  ['no torrent', { torrent: Buffer.from('d4:infodee').toString('base64') }, 422, 'bad_metainfo'],
  ['no bencoding', { torrent: Buffer.from('l-3:e').toString('base64') }, 400, 'invalid_input'],
  ['no base64', { torrent: '*' }, 400, 'invalid_input'],
  ['a name for a magnet', { magnet: `magnet:?xt=urn:btih:${'a'.repeat(40)}`, name: 'x' }, 400, 'invalid_input'],
  ['a private magnet', { magnet: `magnet:?xt=urn:btih:${'a'.repeat(40)}`, access: 'private' }, 400, 'invalid_input'],
  ['too much', { torrent: 'a'.repeat(4_000_000) }, 413, 'body_too_large'],
])('%s is no import', async (_what, body, status, code) => {
  const before = await listed(imports)
  const response = await imports.post(body)
  expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code })])
  expect(await listed(imports)).toEqual(before)
})

test('nothing leads into the network of the operator unless that is set', async () => {
  let asked = 0
  const base = await site((_request, response) => {
    asked++
    response.end('secret')
  })
  await set({ imports: {} })
  const { port } = new URL(base)
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '127.1']) {
    const failed = await imports.run({ url: `http://${host}:${port}/` })
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'address_refused' } })
    expect(failed.error?.detail).toContain('imports.allowPrivate')
  }
  expect(asked).toBe(0)
})

test.each<[string, { body: string; length?: number; code: string }]>([
  ['that is not what was said', { body: 'other', code: 'digest_mismatch' }],
  ['without a byte', { body: '', code: 'empty_file' }],
  ['larger than the limit says so', { body: 'x', length: 5_000_001, code: 'import_refused' }],
  ['cut short', { body: 'x', length: 10, code: 'import_failed' }],
])('a body %s publishes nothing', async (_what, { body, length, code }) => {
  const base = await site((_request, response) => {
    response.writeHead(200, { 'content-length': length ?? body.length }).write(body, () => response.destroy())
    if (length === undefined) response.end()
  })
  const before = await published()
  const failed = await imports.run({ url: base, sha256: sha256(Buffer.from('right')) })
  expect(failed).toMatchObject({ state: 'failed', error: { code } })
  expect(failed.infoHash).toBeUndefined()
  expect(await published()).toEqual(before)
})

test('a body without end ends at the limit', async () => {
  let closed = false
  const base = await site((_request, response) => {
    const more = (): void => {
      while (response.write(Buffer.alloc(65_536, 1)) && !closed);
    }
    response.on('drain', more).on('close', () => (closed = true))
    more()
  })
  expect(await imports.run({ url: base })).toMatchObject({ state: 'failed', error: { code: 'item_too_large' } })
  await vi.waitFor(() => expect(closed).toBe(true))
})

test('progress is seen, and an import can be called off, running or waiting, and then forgotten', async () => {
  const { url, asked, left } = await pending()
  const [first, second, third] = [
    await imports.begin({ url: `${url}/1` }),
    await imports.begin({ url: `${url}/2` }),
    await imports.begin({ url: `${url}/3` }),
  ]
  expect(await imports.until(first, ({ bytes }) => bytes === 10)).toMatchObject({ state: 'running', total: 1000 })
  expect(await imports.look(third)).toMatchObject({ state: 'queued' })
  expect(await imports.cancel(third)).toMatchObject({ state: 'cancelled', bytes: 0 })
  expect(await imports.cancel(first)).toMatchObject({ state: 'cancelled', bytes: 10 })
  await imports.until(second, ({ bytes }) => bytes === 10)
  expect([asked(), left()]).toEqual([2, 1])
  expect(await imports.cancel(second)).toMatchObject({ state: 'cancelled' })
  expect(await imports.cancel(first)).toMatchObject({ state: 'cancelled' })
  const gone = await imports.ask(`/v1/imports/${first.id}`)
  expect([gone.status, await gone.json()]).toEqual([404, expect.objectContaining({ code: 'import_not_found' })])
  expect((await imports.ask(`/v1/imports/${first.id}`, { method: 'DELETE' })).status).toBe(404)
})

test('what is unfinished goes on after a restart, in its order', async () => {
  const { url, asked, open } = await pending()
  const begun = [
    await imports.begin({ url: `${url}/1`, name: '1' }),
    await imports.begin({ url: `${url}/2`, name: '2' }),
    await imports.begin({ url: `${url}/3`, name: '3' }),
  ]
  await vi.waitFor(() => expect(asked()).toBe(2))
  await node.restart()
  await vi.waitFor(() => expect(asked()).toBe(4))
  for (const response of open.slice(2)) response.end('y'.repeat(990))
  await vi.waitFor(() => expect(asked()).toBe(5))
  open[4]?.end('y'.repeat(990))
  for (const view of begun) expect(await imports.over(view)).toMatchObject({ state: 'done', bytes: 1000 })
})

test('so many may be unfinished, a quarter of them by one owner', async () => {
  await set({ imports: { ...settings.imports, most: 8 } })
  const { url } = await pending()
  const one = new Importing(node, (await makeToken(node, 'one', ['media:write'])).token)
  const many = await Promise.all(Array.from({ length: 5 }, () => one.post({ url })))
  expect(many.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 202, 429, 429, 429])
  const rest = await Promise.all(Array.from({ length: 10 }, () => imports.post({ url })))
  expect(rest.filter(({ status }) => status === 202)).toHaveLength(6)
  const refused = rest.find(({ status }) => status === 429)
  expect(await refused?.json()).toMatchObject({ code: 'too_many_imports' })
  const all = (await listed(imports)).imports.filter(({ source }) => source.startsWith(url))
  for (const view of all) await imports.cancel(view)
  expect((await one.post({ url })).status).toBe(202)
  const last = (await listed(one)).imports.find(({ state }) => state !== 'cancelled')
  expect(last && (await one.cancel(last))).toMatchObject({ state: 'cancelled' })
})

test('a token that is revoked takes its imports with it, and no others', async () => {
  const { url, left } = await pending()
  const [kept, lost] = [await makeToken(node, 'one', ['media:write']), await makeToken(node, 'two', ['media:write'])]
  const others = await new Importing(node, kept.token).begin({ url: `${url}/0` })
  const from = new Importing(node, lost.token)
  const begun = [await from.begin({ url: `${url}/1` }), await from.begin({ url: `${url}/2` })]
  await imports.until(begun[0] ?? others, ({ bytes }) => bytes === 10)
  expect((await node.ask(`/v1/tokens/${lost.id}`, { method: 'DELETE' })).status).toBe(204)
  for (const view of begun) expect(await imports.look(view)).toMatchObject({ state: 'cancelled' })
  expect([left(), (await imports.look(others)).state]).toEqual([1, 'running'])
  await imports.cancel(others)
})

test('an import is its owner’s and the administrators’', async () => {
  const base = await site((_request, response) => response.end(randomBytes(9)))
  const [one, other, reader] = [
    new Importing(node, (await makeToken(node, 'one', ['media:write'])).token),
    new Importing(node, (await makeToken(node, 'other', ['media:write'])).token),
    new Importing(node, (await makeToken(node, 'one', ['media:read-private'])).token),
  ]
  const done = await one.run({ url: base, access: 'unlisted' })
  expect(done).toMatchObject({ state: 'done', owner: 'one' })
  await imports.run({ url: `${base}/mine` })
  const owners = async (from: Importing): Promise<string[]> =>
    (await listed(from)).imports.filter(({ source }) => source.startsWith(base)).map(({ owner }) => owner)
  expect([await owners(one), await owners(other), await owners(imports)]).toEqual([['one'], [], ['', 'one']])
  for (const method of ['GET', 'DELETE']) {
    const path = `/v1/imports/${done.id}`
    expect((await other.ask(path, { method })).status).toBe(404)
    expect((await reader.ask(path, { method })).status).toBe(403)
    expect((await fetch(`${node.url}${path}`, { method })).status).toBe(401)
  }
  expect((await fetch(`${node.url}/v1/imports`)).status).toBe(401)
  expect((await reader.post({ url: base })).status).toBe(403)
  expect(await one.look(done)).toMatchObject({ state: 'done' })
  const item = await (await node.ask(`/v1/media/${done.infoHash}`)).json()
  expect(item).toMatchObject({ owner: 'one', access: 'unlisted' })
})

test('imports are listed newest first, in pages', async () => {
  const base = await site((_request, response) => response.end(randomBytes(9)))
  for (const name of ['1', '2', '3']) await imports.run({ url: `${base}/${name}` })
  const first = await listed(imports, '?limit=2')
  const second = await listed(imports, `?limit=1&cursor=${first.nextCursor}`)
  const sources = [...first.imports, ...second.imports].map(({ source }) => source.slice(base.length))
  expect(sources).toEqual(['/3', '/2', '/1'])
  expect((await imports.ask('/v1/imports?cursor=x')).status).toBe(400)
})

test('their begin and end are told to their owner', async () => {
  const base = await site((request, response) => response.writeHead(request.url === '/no' ? 404 : 200).end('x'))
  const events = await EventReader.open(node)
  const done = await imports.run({ url: base, access: 'unlisted' })
  const open = await imports.run({ url: `${base}/open` })
  const failed = await imports.run({ url: `${base}/no` })
  await events.next(({ type }) => type === 'import.failed')
  const { url } = await pending()
  const cancelled = await imports.begin({ url })
  await imports.until(cancelled, ({ bytes }) => bytes === 10)
  await imports.cancel(cancelled)
  await events.next(({ type }) => type === 'import.cancelled')
  // Imports of the tests before may still tell of their end.
  const own = new Set([done, open, failed, cancelled].map(({ id }) => id))
  const told = events.seen.filter(({ type, data }) => type.startsWith('import.') && own.has(String(data['import'])))
  expect(told.map(({ type, data }) => [type, data['import']])).toEqual([
    ['import.started', done.id],
    ['import.done', done.id],
    ['import.started', open.id],
    ['import.done', open.id],
    ['import.started', failed.id],
    ['import.failed', failed.id],
    ['import.started', cancelled.id],
    ['import.cancelled', cancelled.id],
  ])
  const accesses = told.filter(({ type }) => type === 'import.done').map(({ data }) => data['access'])
  expect(accesses).toEqual(['unlisted', 'public'])
  await events.close()
})

test('an owner leaves a place for others', async () => {
  const { url, asked } = await pending()
  const one = new Importing(node, (await makeToken(node, 'greedy', ['media:write'])).token)
  const two = new Importing(node, (await makeToken(node, 'modest', ['media:write'])).token)
  const greedy = [await one.begin({ url: `${url}/1` }), await one.begin({ url: `${url}/2` })]
  const modest = await two.begin({ url: `${url}/3` })
  await two.until(modest, ({ bytes }) => bytes === 10)
  expect([asked(), await Promise.all(greedy.map(async (view) => (await one.look(view)).state))]).toEqual([
    2,
    ['running', 'queued'],
  ])
  for (const view of [...greedy, modest].toReversed()) await imports.cancel(view)
})
