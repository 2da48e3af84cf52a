import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const patience = { timeout: 30_000, interval: 20 }
const megabyte = 2 ** 20
let owner: TestNode
let reader: TestNode

beforeAll(async () => {
  // Nobody but the publisher is to hold a copy.
  owner = await startTestNode({ replicas: { min: 1, target: 1 } })
  const { network } = await json<{ network: { owner: string } }>(owner, '/v1/node')
  const peers = [`${owner.url.replace('http', 'ws')}/gun`]
  reader = await startTestNode({
    network: { owner: network.owner, peers },
    reads: { maxBytes: 100 * megabyte, keepSeconds: 1, waitSeconds: 5 },
  })
  const { id } = await json<{ id: string }>(reader, '/v1/node')
  const headers = { 'content-type': 'application/json' }
  await owner.ask('/v1/members', { method: 'POST', headers, body: JSON.stringify({ member: id }) })
  await vi.waitUntil(async () => (await reader.ask('/ready')).ok, patience)
  await vi.waitUntil(async () => (await json<{ peers: object[] }>(reader, '/v1/peers')).peers.length === 1, patience)
})
afterAll(async () => {
  await Promise.all([owner.stop(), reader.stop()])
})
// What was read is removed a moment later.
beforeEach(() => reader.swept())

const json = async <T>(node: TestNode, path: string, init?: RequestInit) =>
  (await (await node.ask(path, init)).json()) as T

/** Publishes, and waits until the other node has heard of it. */
async function publish(name: string, bytes: Uint8Array<ArrayBuffer>, uploadLimit?: number): Promise<MediaView> {
  const item = await json<MediaView>(owner, `/v1/media?name=${name}`, { method: 'PUT', body: bytes })
  if (uploadLimit !== undefined) {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ uploadLimit })
    await owner.ask(`/v1/media/${item.id}/limits`, { method: 'PUT', headers, body })
  }
  await vi.waitUntil(async () => (await read(item.id, {}, 'HEAD')).status === 200, patience)
  return item
}
const read = (id: string, headers: Record<string, string> = {}, method = 'GET') =>
  reader.ask(`/v1/media/${id}/content`, { method, headers })
const body = async (answer: Response) => Buffer.from(await answer.arrayBuffer())
const status = (answer: Response) => answer.headers.get('cache-status')
async function downloaded(): Promise<number> {
  const text = await (await reader.ask('/metrics')).text()
  return Number(/^eldernode_swarm_downloaded_bytes (\S+)$/m.exec(text)?.[1])
}
const incoming = () => readdirSync(join(reader.data, 'incoming')).length

test('what others hold is fetched while it is read, kept for a moment, and no copy of the network', async () => {
  const bytes = randomBytes(3_000_000)
  const { id, sha256, createdAt } = await publish('one', bytes)
  const before = await downloaded()
  const head = await read(id, {}, 'HEAD')
  expect(Object.fromEntries(head.headers)).toMatchObject({
    'content-length': '3000000',
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=31536000, immutable',
    'last-modified': new Date(createdAt).toUTCString(),
    etag: `"${sha256}"`,
  })
  expect((await read(id, { 'if-none-match': `"${sha256}"` })).status).toBe(304)
  expect([await downloaded(), incoming()]).toEqual([before, 0])

  const first = await read(id)
  expect([first.status, status(first)]).toEqual([200, 'eldernode; fwd=uri-miss; stored'])
  expect((await body(first)).equals(bytes)).toBe(true)
  const again = await read(id, { range: 'bytes=1000000-1999999,5-9' })
  expect([again.status, status(again)]).toEqual([206, 'eldernode; hit'])
  expect((await body(again)).includes(bytes.subarray(1_000_000, 2_000_000))).toBe(true)
  const bySha = await read(sha256, { range: 'bytes=0-9' })
  expect([status(bySha), (await body(bySha)).equals(bytes.subarray(0, 10))]).toEqual(['eldernode; hit', true])
  expect(await downloaded()).toBeLessThan(before + 4_000_000)
  expect((await reader.ask(`/v1/media/${id}`)).status).toBe(404)
  expect(status(await owner.ask(`/v1/media/${id}/content`))).toBe('eldernode; hit')
  await reader.swept()
  expect((await reader.ask(`/v1/media/${id}`)).status).toBe(404)
})

test('of what is asked for only that is fetched, and first', async () => {
  const bytes = randomBytes(40 * megabyte)
  const { id } = await publish('large', bytes, 4 * megabyte)
  const before = await downloaded()
  const start = 30 * megabyte + 7
  const answer = await read(id, { range: `bytes=${start}-${start + 99_999}` })
  expect([answer.status, status(answer)]).toEqual([206, 'eldernode; fwd=uri-miss; stored'])
  expect((await body(answer)).equals(bytes.subarray(start, start + 100_000))).toBe(true)
  const more = await read(id, { range: `bytes=${start + 50_000}-${start + 299_999}` })
  // The first one's transfer may still be about to end.
  expect(status(more)).toMatch(/^eldernode; fwd=partial; stored/)
  expect((await body(more)).equals(bytes.subarray(start + 50_000, start + 300_000))).toBe(true)
  expect(await downloaded()).toBeLessThan(before + 2 * megabyte)
})

test('bytes are given as they arrive, and a client that leaves ends the transfer', async () => {
  const { id } = await publish('slow', randomBytes(40 * megabyte), 4 * megabyte)
  const before = await downloaded()
  const socket = open(id)
  let received = 0
  socket.on('data', (chunk) => (received += chunk.length))
  await vi.waitUntil(() => received > megabyte, patience)
  expect((await downloaded()) - before).toBeLessThan(20 * megabyte)
  socket.destroy()
  await reader.swept()
  expect((await downloaded()) - before).toBeLessThan(30 * megabyte)
})

test('a client that leaves before anything came is forgotten', async () => {
  const { id } = await publish('stuck', randomBytes(2 * megabyte), 1)
  const socket = open(id)
  await vi.waitUntil(() => incoming() === 1, patience)
  socket.destroy()
  await reader.swept()
  expect(incoming()).toBe(0)
})

test('readers share one transfer', async () => {
  const bytes = randomBytes(12 * megabyte)
  const { id } = await publish('shared', bytes, 8 * megabyte)
  const before = await downloaded()
  const first = await read(id)
  const others = await Promise.all([read(id), read(id), read(id, { range: 'bytes=0-99' })])
  for (const answer of others.slice(0, 2)) expect(status(answer)).toMatch(/^eldernode; fwd=partial; stored; collapsed$/)
  expect(incoming()).toBe(1)
  const received = await Promise.all([first, ...others].map(body))
  expect(received.map((content) => bytes.subarray(0, content.length).equals(content))).toEqual([true, true, true, true])
  expect((await downloaded()) - before).toBeLessThan(14 * megabyte)
})

test('what is larger than is set aside for reads is not fetched; nor is anything when nothing is', async () => {
  const { id } = await publish('huge', new Uint8Array(101 * megabyte))
  const answer = await read(id)
  expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([503, 'reads_busy'])
  expect(answer.headers.get('etag')).toBeNull()
  expect(incoming()).toBe(0)
})

test('what nobody can give ends within the time that is set, with an error that says so', async () => {
  const { id } = await publish('silent', randomBytes(300_000), 1)
  const answer = await read(id)
  expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([504, 'stalled'])
  expect(answer.headers.get('cache-control')).toBeNull()
})

test('an item that is taken down meanwhile is served no more', async () => {
  const { id } = await publish('taken', randomBytes(40 * megabyte), megabyte)
  const socket = open(id)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise((resolve) => socket.once('data', resolve))
  socket.resume()
  expect((await owner.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  await closed
  await vi.waitUntil(async () => (await read(id, {}, 'HEAD')).status === 404, patience)
})

test('each file of an item is found by its path', async () => {
  const form = new FormData()
  form.append('name', 'album')
  const files = { 'a/one.bin': randomBytes(50_000), 'two.bin': randomBytes(70_001) }
  for (const [path, content] of Object.entries(files)) form.append('file', new Blob([content]), path)
  const { id } = await json<MediaView>(owner, '/v1/media', { method: 'POST', body: form })
  const ask = (path: string) => reader.ask(`/v1/media/${id}/content${path}`)
  await vi.waitFor(async () => {
    const answer = await ask('/two.bin')
    expect([answer.status, answer.ok ? '' : await answer.text()]).toEqual([200, ''])
  }, patience)
  for (const [path, content] of Object.entries(files)) {
    const answer = await ask(`/${path}`)
    expect([path, answer.status]).toEqual([path, 200])
    expect((await body(answer)).equals(content)).toBe(true)
  }
  const codes = await Promise.all(
    ['', '/three'].map(async (path) => ((await (await ask(path)).json()) as Problem).code),
  )
  expect(codes).toEqual(['path_required', 'file_not_found'])
})

test('for a magnet the first media file comes, of an item that others hold as well', async () => {
  const form = new FormData()
  form.append('name', 'record')
  form.append('file', new Blob(['words']), 'notes.txt')
  form.append('file', new Blob(['fLaC, from elsewhere']), 'song.flac')
  const { id } = await json<MediaView>(owner, '/v1/media', { method: 'POST', body: form })
  await vi.waitFor(async () => {
    const answer = await reader.ask(`/torrent/${id}`)
    expect([answer.status, await answer.text()]).toEqual([200, 'fLaC, from elsewhere'])
  }, patience)
})

/** A connection on which the whole content was asked for. */
function open(id: string): Socket {
  const socket = connect(Number(new URL(reader.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`GET /v1/media/${id}/content HTTP/1.1\r\nHost: x\r\n\r\n`)
  return socket
}
