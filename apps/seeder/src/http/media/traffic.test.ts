import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { problem, Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const patience = { timeout: 30_000, interval: 50 }

const nodes: TestNode[] = []
let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((one) => one.stop()))
})

const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T
const post = (path: string, on = node) => on.ask(`/v1/media/${path}`, { method: 'POST' })
const limits = (id: string, body: unknown, on = node) =>
  on.ask(`/v1/media/${id}/limits`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const put = async (name: string, size: number, on = node) => view(await new Uploads(on).put(name, randomBytes(size)))
const metric = async (on: TestNode, name: string) =>
  Number(new RegExp(`^eldernode_${name} (.*)$`, 'm').exec(await (await on.ask('/metrics')).text())?.[1])

test('a pause stops web seeds, not reads; both it and its end may be asked for twice, and a restart keeps it', async () => {
  const { id, sha256 } = await put('paused.bin', 50_000)
  const off = { id, paused: false, limits: { uploadLimit: null, downloadLimit: null } }
  const webSeed = () => node.ask(`/v1/media/${id}/ws/paused.bin`)
  expect((await webSeed()).status).toBe(200)

  for (const key of [id, sha256, id.toUpperCase()])
    expect(await json(post(`${key}/pause`))).toEqual({ ...off, paused: true })
  for (const again of [false, true]) {
    if (again) await node.restart()
    const refused = await webSeed()
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await problem(refused)).toEqual([503, 'media_paused'])
    expect((await node.ask(`/v1/media/${id}/ws/paused.bin`, { method: 'HEAD' })).status).toBe(503)
    expect((await node.ask(`/v1/media/${id}/content`)).status).toBe(200)
    expect(await json(node.ask(`/v1/media/${id}`))).toMatchObject({ paused: true })
    expect([await metric(node, 'items_paused'), await metric(node, 'swarm_torrents')]).toEqual([1, 0])
  }
  // What is published again stays paused.
  await new Uploads(node).put('other.bin', 'other')
  await vi.waitFor(async () => expect(await metric(node, 'swarm_torrents')).toBe(1), patience)

  for (const key of [id, sha256]) expect(await json(post(`${key}/resume`))).toEqual(off)
  await vi.waitFor(async () => expect(await metric(node, 'swarm_torrents')).toBe(2), patience)
  expect((await webSeed()).status).toBe(200)
})

test('bytes published anew while they are paused are held, and not served', async () => {
  const bytes = randomBytes(20_000)
  const { id } = await view(await new Uploads(node).put('again.bin', bytes))
  await post(`${id}/pause`)
  const before = await metric(node, 'swarm_torrents')
  expect((await new Uploads(node).put('again.bin', bytes)).status).toBe(200)
  expect(await metric(node, 'swarm_torrents')).toBe(before)
  await post(`${id}/resume`)
})

test('a web seed keeps to the item’s own limit, changed while it sends; reads over the API do not', async () => {
  const { id } = await put('limited.bin', 6_000_000)
  expect(await json(limits(id, { uploadLimit: 500_000 }))).toEqual({
    id,
    paused: false,
    limits: { uploadLimit: 500_000, downloadLimit: null },
  })
  const { body } = await node.ask(`/v1/media/${id}/ws/limited.bin`)
  let [received, took] = [0, 0]
  const started = performance.now()
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    received += chunk.length
    if (took > 0 || received < 1_500_000) continue
    took = (performance.now() - started) / 1000
    expect((await node.ask(`/v1/media/${id}/content`).then((whole) => whole.arrayBuffer())).byteLength).toBe(6_000_000)
    await limits(id, { uploadLimit: 0 })
  }
  expect(received).toBe(6_000_000)
  expect(1_500_000 / took).toBeGreaterThan(425_000)
  expect(1_500_000 / took).toBeLessThan(575_000)
  expect((performance.now() - started) / 1000 - took).toBeLessThan(5)
})

test('a pause ends a web seed’s answer that is under way', async () => {
  const { id } = await put('cut.bin', 3_000_000)
  await limits(id, { uploadLimit: 200_000 })
  const { body } = await node.ask(`/v1/media/${id}/ws/cut.bin`)
  const reader = body!.getReader()
  await reader.read()
  await post(`${id}/pause`)
  const rest = (async () => {
    while (!(await reader.read()).done);
  })()
  await expect(rest).rejects.toThrow(/terminated/)
  await post(`${id}/resume`)
})

test.each([
  ['less than nothing', { uploadLimit: -1 }],
  ['a fraction', { downloadLimit: 0.5 }],
  ['text', { uploadLimit: '5' }],
  ['an unknown key', { uploadlimit: 5 }],
  ['a list', [5]],
])('limits are refused: %s', async (_what, body) => {
  const { id } = await put('strict.bin', 100)
  expect(await problem(limits(id, body))).toEqual([400, 'invalid_input'])
})

test('nobody without the token changes anything, and nothing is set for what nobody published', async () => {
  const { id } = await put('mine.bin', 100)
  const headers = { authorization: 'Bearer no' }
  expect(await problem(node.ask(`/v1/media/${id}/pause`, { method: 'POST', headers }))).toEqual([401, 'unauthorized'])
  for (const unknown of ['a'.repeat(40), 'b'.repeat(64)]) {
    expect(await problem(post(`${unknown}/pause`))).toEqual([404, 'media_not_found'])
    expect(await problem(post(`${unknown}/resume`))).toEqual([404, 'media_not_found'])
    expect(await problem(limits(unknown, {}))).toEqual([404, 'media_not_found'])
  }
  expect(await problem(post('short/pause'))).toEqual([400, 'invalid_input'])
  await node.ask(`/v1/media/${id}`, { method: 'DELETE' })
  expect(await problem(post(`${id}/pause`))).toEqual([410, 'media_retracted'])
})

test('a fetch that is paused stops, does not begin again, and goes on when it is resumed', async () => {
  const source = await startTestNode({ swarm: { uploadLimit: 400_000 } })
  nodes.push(source)
  const { network } = await json<{ network: { owner: string } }>(source.ask('/v1/node'))
  const peers = [`${source.url.replace('http', 'ws')}/gun`]
  const member = await startTestNode({ network: { owner: network.owner, peers } })
  nodes.push(member)
  const { id: memberId } = await json<{ id: string }>(member.ask('/v1/node'))
  const headers = { 'content-type': 'application/json' }
  await source.ask('/v1/members', { method: 'POST', headers, body: JSON.stringify({ member: memberId }) })
  await vi.waitUntil(async () => (await member.ask('/ready')).ok, patience)

  const { id } = await put('slow.bin', 3_000_000, source)
  await vi.waitFor(
    async () => expect(await metric(member, 'swarm_downloaded_bytes')).toBeGreaterThan(100_000),
    patience,
  )
  expect(await json(post(`${id}/pause`, member))).toMatchObject({ id, paused: true })
  expect(await metric(member, 'replication_running')).toBe(0)
  const before = await metric(member, 'swarm_downloaded_bytes')
  // What comes later is fetched: the paused item had its turn, and was passed over.
  const { id: later } = await put('later.bin', 100, source)
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${later}`)).status).toBe(200), patience)
  expect(await metric(member, 'replication_running')).toBe(0)
  expect((await metric(member, 'swarm_downloaded_bytes')) - before).toBeLessThan(16_384)
  expect((await member.ask(`/v1/media/${id}`)).status).toBe(404)

  await post(`${id}/resume`, member)
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${id}`)).status).toBe(200), patience)
})
