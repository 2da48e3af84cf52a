import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, json, makeToken } from '../testing/tokens.ts'
import { formOf, problem } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
let owners = 0
let owner: string
let token: string
let ask: ReturnType<typeof askAs>

beforeAll(async () => {
  node = await startTestNode({ quota: { bytes: 1000, items: 4, bytesPerDay: 1500 } })
})
afterAll(async () => {
  await node.stop()
})
beforeEach(async () => {
  owner = `owner ${++owners}`
  token = (await makeToken(node, owner, ['media:write', 'media:delete'])).token
  ask = askAs(node, token)
})
afterEach(async () => {
  await node.swept()
})

const put = async (size: number, from = ask) => {
  const body = new Uint8Array(randomBytes(size))
  return await from(`/v1/media?name=${owners}-${Buffer.from(body).toString('hex', 0, 8)}`, { method: 'PUT', body })
}

/** A body of unknown length. */
const stream = (...chunks: number[]) =>
  new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const size = chunks.shift()
      if (size === undefined) controller.close()
      else controller.enqueue(randomBytes(size))
    },
  })

const quota = async (from = ask) => (await from(`/v1/quotas/${encodeURIComponent(owner)}`)).json()

test('all items of an owner keep to their bytes together', async () => {
  expect((await put(600)).status).toBe(201)
  expect(await problem(put(401))).toEqual([507, 'storage_quota_exceeded'])
  expect((await put(400)).status).toBe(201)
  expect(await problem(put(1))).toEqual([507, 'storage_quota_exceeded'])
  expect(await quota()).toEqual({
    owner,
    quota: { bytes: 1000, items: 4, bytesPerDay: 1500 },
    used: { bytes: 1000, items: 2, bytesToday: 1000 },
  })
  expect((await put(2000, askAs(node, node.token))).status).toBe(201)
})

test('a body that does not say how long it is ends at the limit', async () => {
  const streamed = (...chunks: number[]) =>
    ask(`/v1/media?name=stream${owners}`, { method: 'PUT', body: stream(...chunks) })
  expect(await problem(streamed(700, 200, 101))).toEqual([507, 'storage_quota_exceeded'])
  expect((await streamed(700, 200, 100)).status).toBe(201)
})

test('a form keeps to it as well, over all of its files', async () => {
  const form = (...sizes: number[]) =>
    formOf(sizes.map((size, n) => [`${owners}/${n}`, new Uint8Array(randomBytes(size))]))
  const post = (body: FormData) => ask('/v1/media', { method: 'POST', body })
  expect(await problem(post(form(600, 401)))).toEqual([507, 'storage_quota_exceeded'])
  expect((await post(form(200, 200))).status).toBe(201)
})

test('uploads at the same time do not share one room', async () => {
  const answers = await Promise.all([400, 400, 400, 400].map((size) => put(size)))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 507, 507])
})

test('an owner has no more items than it may', async () => {
  for (const size of [1, 2, 3, 4]) expect((await put(size)).status).toBe(201)
  expect(await problem(put(5))).toEqual([403, 'item_quota_exceeded'])
})

test('what is deleted counts until it is purged, and its day goes on', async () => {
  const { id } = (await (await put(1000)).json()) as { id: string }
  expect((await ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  expect(await problem(put(10))).toEqual([507, 'storage_quota_exceeded'])
  expect((await node.ask(`/v1/media/${id}?local=true`, { method: 'DELETE' })).status).toBe(200)
  expect(await quota()).toMatchObject({ used: { bytes: 0, items: 0, bytesToday: 1000 } })
  const answer = await put(501)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(86_400)
  expect(await problem(answer)).toEqual([429, 'daily_quota_exceeded'])
  expect((await put(500)).status).toBe(201)
})

test('what is held already costs nothing', async () => {
  const init = { method: 'PUT', body: `same ${owner}`.padEnd(900, '.') }
  expect((await ask(`/v1/media?name=twice${owners}`, init)).status).toBe(201)
  await node.ask(`/v1/quotas/${encodeURIComponent(owner)}`, json('PUT', { bytes: 5000 }))
  expect((await ask(`/v1/media?name=twice${owners}`, { ...init, body: init.body })).status).toBeLessThan(500)
  expect(await quota()).toMatchObject({ used: { bytes: 900, items: 1 } })
})

describe('uploads in parts', () => {
  const tus = { 'tus-resumable': '1.0.0' }
  const begin = async (length: Record<string, string>) =>
    await ask('/v1/uploads', {
      method: 'POST',
      headers: { ...tus, ...length, 'upload-metadata': `filename ${btoa(`part ${++owners}`)}` },
    })
  const send = async (begun: Response, offset: number, size: number, more: Record<string, string> = {}) =>
    await ask(new URL(begun.headers.get('location') ?? '', node.url).pathname, {
      method: 'PATCH',
      headers: {
        ...tus,
        ...more,
        'upload-offset': `${offset}`,
        'content-type': 'application/offset+octet-stream',
      },
      body: new Uint8Array(randomBytes(size)),
    })

  test('have their room set aside from the beginning', async () => {
    expect(await problem(begin({ 'upload-length': '1001' }))).toEqual([507, 'storage_quota_exceeded'])
    const begun = await begin({ 'upload-length': '600' })
    expect(begun.status).toBe(201)
    expect(await problem(begin({ 'upload-length': '401' }))).toEqual([507, 'storage_quota_exceeded'])
    expect(await problem(put(401))).toEqual([507, 'storage_quota_exceeded'])
    const second = await begin({ 'upload-length': '400' })
    expect((await send(begun, 0, 200)).status).toBe(204)
    expect((await send(begun, 200, 400)).status).toBe(204)
    expect((await send(second, 0, 400)).status).toBe(204)
    expect(await quota()).toMatchObject({ used: { bytes: 1000, items: 2 } })
  })

  test('that do not say how long they are end at the limit', async () => {
    const begun = await begin({ 'upload-defer-length': '1' })
    expect((await send(begun, 0, 900)).status).toBe(204)
    expect(await problem(send(begun, 900, 101))).toEqual([507, 'storage_quota_exceeded'])
    expect(await problem(put(200))).toEqual([507, 'storage_quota_exceeded'])
    const { pathname } = new URL(begun.headers.get('location') ?? '', node.url)
    expect((await ask(pathname, { method: 'DELETE', headers: tus })).status).toBe(204)
    expect((await put(1000)).status).toBe(201)
  })
})

test('administrators set what one owner may have, and others see only their own', async () => {
  const path = `/v1/quotas/${encodeURIComponent(owner)}`
  const set = (body: unknown, from = askAs(node, node.token)) => from(path, json('PUT', body))
  expect((await set({ bytes: 5000, bytesPerDay: 0 })).status).toBe(200)
  expect(await quota()).toMatchObject({ quota: { bytes: 5000, items: 4, bytesPerDay: 0 } })
  expect((await put(4000)).status).toBe(201)
  expect(await problem(set({ bytes: -1 }))).toEqual([400, 'invalid_input'])
  expect(await problem(set({ gigabytes: 1 }))).toEqual([400, 'invalid_input'])
  expect(await problem(set({ bytes: 1 }, ask))).toEqual([403, 'insufficient_scope'])
  const { token: another } = await makeToken(node, 'another', ['media:write'])
  expect(await problem(askAs(node, another)(path))).toEqual([403, 'insufficient_scope'])
  expect(await problem(askAs(node, '')(path))).toEqual([401, 'unauthorized'])
  const { quotas } = (await (await node.ask('/v1/quotas?limit=1000')).json()) as { quotas: { owner: string }[] }
  expect(quotas.map((one) => one.owner)).toContain(owner)
  await set({})
  expect(await quota()).toMatchObject({ quota: { bytes: 1000 } })
})
