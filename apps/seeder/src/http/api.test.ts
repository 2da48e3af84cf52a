import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { MediaView } from './media/media-view.ts'
import type { Problem } from './problem.ts'
import { startTestNode, type TestNode } from './testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const patience = { timeout: 20_000, interval: 20 }
let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})

afterAll(async () => {
  await node.stop()
})

interface Operation {
  security?: unknown
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

const json = async <T>(path: string, init?: RequestInit) => (await (await node.ask(path, init)).json()) as T
const problem = async (path: string, init?: RequestInit) => {
  const answer = await node.ask(path, init)
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  return [answer.status, ((await answer.json()) as Problem).code]
}
const publish = (name: string, body: string) => json<MediaView>(`/v1/media?name=${name}`, { method: 'PUT', body })
const post = (path: string, value: unknown) =>
  node.ask(path, { method: 'POST', body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })

describe('the document', () => {
  test('describes every route, its answers and its errors', async () => {
    const { openapi, paths, components } = await json<Document>('/openapi.json')
    expect(openapi).toBe('3.1.0')
    // That every route has an example is tested with docs/api.md.
    expect(Object.keys(paths).length).toBeGreaterThan(20)
    for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
      expect(operation.responses['500']?.content).toHaveProperty('application/problem+json')
    }
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['Media', 'Problem', 'Member', 'Node']))
  })

  test('every route that changes something is refused without the token, and says so', async () => {
    const { paths } = await json<Document>('/openapi.json')
    const changing = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method]) => !['get', 'head', 'options'].includes(method))
        .map(([method, operation]) => ({
          path: path.replaceAll(/\{[^}]*\}/g, 'a'.repeat(40)),
          method: method.toUpperCase(),
          operation,
        })),
    )
    expect(changing.length).toBeGreaterThan(8)
    // The one that its own body is signed for.
    const signed = changing.filter(({ path }) => path === '/v1/readers')
    expect(signed.map(({ method, operation }) => [method, operation.security])).toEqual([['POST', undefined]])
    for (const { path, method, operation } of changing.filter((route) => !signed.includes(route))) {
      expect(operation.security).toEqual([{ token: [expect.stringMatching(/^[a-z]+:[a-z-]+$/)] }])
      expect(operation.responses).toHaveProperty('401')
      for (const authorization of ['', 'Bearer', 'Bearer wrong', `Bearer ${node.token}x`, `bearer${node.token}`]) {
        const answer = await node.ask(path, { method, headers: { authorization } })
        expect(answer.status).toBe(401)
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
        expect(answer.headers.get('access-control-allow-origin')).toBe('*')
        expect(((await answer.json()) as Problem).code).toBe('unauthorized')
      }
    }
  })
})

test('what is no route, no HTTP and too large is answered as a problem', async () => {
  expect(await problem('/nothing')).toEqual([404, 'route_not_found'])
  expect(await problem('/v1/media', { method: 'PATCH' })).toEqual([404, 'route_not_found'])
  expect(await node.raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*"code":"malformed_request"/)
  const large = `GET /health HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`
  expect(await node.raw(large)).toMatch(/^HTTP\/1\.1 431 [^]*"code":"headers_too_large"/)
})

describe('lists', () => {
  test('come in pages that hold every item once, newest first', async () => {
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.push((await publish(`page-${i}`, `item ${i}`)).id)
    const seen: string[] = []
    let cursor = ''
    for (;;) {
      const page = await json<{ items: MediaView[]; nextCursor?: string }>(`/v1/media?limit=3${cursor}`)
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items.map(({ id }) => id))
      if (page.nextCursor === undefined) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(seen.toSorted()).toEqual(ids.toSorted())
    const times = await Promise.all(seen.map(async (id) => (await json<MediaView>(`/v1/media/${id}`)).createdAt))
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })

  test.each([
    'cursor=nonsense',
    'cursor=AAAA',
    `cursor=${'x'.repeat(300)}`,
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1.5',
  ])('refuse %s', async (query) => {
    expect(await problem(`/v1/media?${query}`)).toEqual([400, 'invalid_input'])
  })
})

describe('retraction', () => {
  test('ends the serving at once, is said to all, and can be said twice', async () => {
    const { id, sha256 } = await publish('gone', 'soon gone')
    const before = Date.now()
    const answer = await json<{ purgeAfter: number }>(`/v1/media/${id}?reason=mistake`, { method: 'DELETE' })
    expect(answer).toMatchObject({ id, state: 'retracted' })
    expect(answer.purgeAfter).toBeGreaterThanOrEqual(before + 86_400_000)
    for (const path of [id, `${id}/content`, `${id}/files`, `${id}/torrent`, `${id}/ws/gone`]) {
      expect(await problem(`/v1/media/${path}`)).toEqual([410, 'media_retracted'])
    }
    expect(await problem(`/v1/media/${sha256}/content`)).toEqual([410, 'media_retracted'])
    expect(await json(`/v1/media/${id}`, { method: 'DELETE' })).toEqual(answer)
    const { items } = await json<{ items: MediaView[] }>('/v1/media?limit=1000')
    expect(items.map((item) => item.id)).not.toContain(id)
  })

  test('is undone by publishing the same again', async () => {
    const { id } = await publish('back', 'back again')
    await node.ask(`/v1/media/${id}`, { method: 'DELETE' })
    const again = await node.ask('/v1/media?name=back', { method: 'PUT', body: 'back again' })
    expect([again.status, ((await again.json()) as MediaView).id]).toEqual([200, id])
    expect(await (await node.ask(`/v1/media/${id}/content`)).text()).toBe('back again')
  })

  test('of an unknown item is 404, with or without local', async () => {
    for (const query of ['', '?local=1']) {
      expect(await problem(`/v1/media/${'a'.repeat(40)}${query}`, { method: 'DELETE' })).toEqual([
        404,
        'media_not_found',
      ])
    }
  })

  test('local drops the copy only', async () => {
    const { id } = await publish('local', 'local copy')
    expect(await json(`/v1/media/${id}?local=1`, { method: 'DELETE' })).toEqual({ id, state: 'dropped' })
    expect(await problem(`/v1/media/${id}`)).toEqual([404, 'media_not_found'])
  })
})

describe('the node', () => {
  test('is healthy and ready, and says who it is', async () => {
    const health = await json<Record<string, unknown>>('/health')
    expect(health).toMatchObject({ status: 'healthy', peers: 0, replicationQueue: 0 })
    for (const key of ['timestamp', 'mediaFiles', 'mediaBytes', 'uptimeSec']) expect(health[key]).toBeTypeOf('number')
    const { ready, checks } = await json<{ ready: boolean; checks: Record<string, unknown> }>('/ready')
    expect(ready).toBe(true)
    expect(Object.keys(checks)).toEqual(expect.arrayContaining(['library', 'swarm', 'graph', 'membership']))
    const self = await json<{ id: string; network: { owner: string } }>('/v1/node')
    expect(self).toMatchObject({
      network: { member: true, open: false },
      endpoints: { http: node.url, gun: `${node.url.replace('http', 'ws')}/gun` },
    })
    expect(self.network.owner).not.toBe(self.id)
    expect(await json('/v1/peers')).toEqual({ peers: [] })
  })

  test('counts requests by route, never by path', async () => {
    const { detail } = await json<Problem>('/v1/media/unknown-id-1')
    expect(detail).toMatch(/^The parameters in the path are not valid: id: /)
    const answer = await node.ask('/metrics')
    const text = await answer.text()
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(text).toMatch(/eldernode_http_requests_total\{method="GET",route="\/v1\/media\/:id",status="400"\} \d/)
    expect(text).toMatch(/^eldernode_items \d+$/m)
    expect(text).toMatch(/^process_cpu_seconds_total/m)
    expect(text).not.toMatch(/unknown-id-1/)
  })

  test('measures how long an upload took', async () => {
    async function* halves() {
      yield Buffer.from('slow')
      await pause(20)
      yield Buffer.from('ly')
    }
    await node.ask('/v1/media?name=slow.txt', { method: 'PUT', body: ReadableStream.from(halves()) })
    const sum = /^eldernode_http_request_seconds_sum\{method="PUT",route="\/v1\/media"\} (.*)$/m
    const seconds = async () => Number(sum.exec(await (await node.ask('/metrics')).text())?.[1])
    await expect.poll(seconds).toBeGreaterThan(0.015)
  })

  test('shows limits in the units of their settings', async () => {
    const text = await (await node.ask('/metrics')).text()
    expect(text).toContain('eldernode_swarm_limit{limit="idleAfter"} 120\n')
  })
})

describe('members', () => {
  const stranger = 'A'.repeat(43)

  test('are admitted and revoked by the node with the owner key', async () => {
    const { id } = await json<{ id: string }>('/v1/node')
    const admitted = await post('/v1/members', { member: stranger, operator: 'them' })
    expect(admitted.status).toBe(201)
    const certificate = { member: stranger, roles: ['seeder', 'publisher', 'auditor'], operator: 'them' }
    expect(await admitted.json()).toMatchObject(certificate)
    const { members } = await json<{ members: { member: string }[] }>('/v1/members')
    expect(members.map(({ member }) => member).toSorted()).toEqual([id, stranger].toSorted())
    const lost = await post('/v1/members', { member: stranger, roles: [], successor: id })
    expect([lost.status, await lost.json()]).toEqual([201, expect.objectContaining({ roles: [], successor: id })])
    await vi.waitFor(async () => {
      const now = await json<{ members: unknown[] }>('/v1/members')
      expect(now.members).toContainEqual(expect.objectContaining({ member: stranger, roles: [], successor: id }))
    }, patience)
  })

  test.each([
    {},
    { member: 'short' },
    { member: `${'A'.repeat(42)}B` },
    { member: stranger, roles: ['king'] },
    { member: stranger, expiresAt: 1 },
    { member: stranger, operator: 'x'.repeat(65) },
    { member: stranger, roles: [], successor: 'short' },
    { member: stranger, roles: [], successor: stranger },
    null,
  ])('refuses %j', async (value) => {
    const answer = await post('/v1/members', value)
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([400, 'invalid_input'])
  })

  test('refuses what is no JSON, too long, or no JSON by its type', async () => {
    const send = (body: string, type = 'application/json') =>
      problem('/v1/members', { method: 'POST', body, headers: { 'content-type': type } })
    expect(await send('{')).toEqual([400, 'invalid_json'])
    expect(await send('')).toEqual([400, 'invalid_json'])
    expect(await send('{"__proto__": {}}')).toEqual([400, 'invalid_json'])
    expect(await send(JSON.stringify('x'.repeat(70_000)))).toEqual([413, 'body_too_large'])
    expect(await send('x', 'text/csv')).toEqual([415, 'unsupported_media_type'])
  })

  test('are admitted nowhere else; a node that waits for its certificate refuses changes and says why', async () => {
    const { network } = await json<{ network: { owner: string } }>('/v1/node')
    const waiting = await startTestNode({ network: { owner: network.owner } })
    try {
      const ready = await waiting.ask('/ready')
      expect(ready.status).toBe(503)
      expect(await ready.text()).toMatch(/"membership":\{"ok":false,"reason":"[^"]*admitted/)
      expect(await (await waiting.ask('/health')).json()).toMatchObject({ status: 'degraded' })
      expect(await (await waiting.ask('/v1/node')).json()).toMatchObject({
        network: { owner: network.owner, member: false },
      })
      const upload = await waiting.ask('/v1/media?name=x', { method: 'PUT', body: 'x' })
      expect([upload.status, upload.headers.get('retry-after')]).toEqual([503, '2'])
      expect(await upload.text()).toMatch(/"code":"not_ready","detail":"[^"]*admitted/)
    } finally {
      await waiting.stop()
    }
  })
})

test('WebSockets are taken at /gun and nowhere else', async () => {
  const open = (path: string) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${node.url.replace('http', 'ws')}${path}`)
      socket.onopen = () => {
        socket.close()
        resolve('open')
      }
      socket.onerror = () => resolve('refused')
    })
  expect(await open('/gun')).toBe('open')
  expect(await open('/v1/media')).toBe('refused')
})

test('after a restart everything is there, under the same identity', async () => {
  const { id } = await publish('kept', 'kept over a restart')
  const before = await json<{ id: string; network: unknown }>('/v1/node')
  await node.restart()
  const after = await json<{ id: string; network: unknown }>('/v1/node')
  expect([after.id, after.network]).toEqual([before.id, before.network])
  expect(await (await node.ask(`/v1/media/${id}/content`)).text()).toBe('kept over a restart')
})

test('a method that no route has is refused as such', async () => {
  expect(await problem('/v1/media', { method: 'QUERY' })).toEqual([415, 'unsupported_media_type'])
})

test('an item by itself says since when every piece of it was found right', async () => {
  const before = Math.floor(Date.now() / 1000) * 1000
  const { id } = await publish('verified.txt', 'right')
  const { verifiedAt } = await json<{ verifiedAt: number }>(`/v1/media/${id}`)
  expect(verifiedAt).toBeGreaterThanOrEqual(before)
  expect(verifiedAt).toBeLessThanOrEqual(Date.now())
})
