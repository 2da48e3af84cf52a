import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Scope } from '../../access/index.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, json, makeToken, publishAs } from '../testing/tokens.ts'
import { problem } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})
afterAll(async () => {
  await node.stop()
})

const make = (owner: string, scopes: Scope[], rest?: Record<string, unknown>) => makeToken(node, owner, scopes, rest)
const as = (token: string) => askAs(node, token)
const put = (token: string, name: string, query?: string) => publishAs(node, token, name, query)

describe('tokens', () => {
  test('are made, listed and revoked by administrators alone, and shown once', async () => {
    const expiresAt = Date.now() + 3_600_000
    const { id, token } = await make('alice', ['media:write'], { label: 'phone', expiresAt })
    expect(await (await as(token)('/v1/tokens/self')).json()).toEqual({ id, owner: 'alice', scopes: ['media:write'] })
    const text = await (await node.ask('/v1/tokens')).text()
    expect(JSON.parse(text)).toMatchObject({
      tokens: [{ id, owner: 'alice', label: 'phone', scopes: ['media:write'], expiresAt }],
    })
    expect(text).not.toContain(token.slice(20))
    expect(await problem(as(token)('/v1/tokens'))).toEqual([403, 'insufficient_scope'])
    expect(await problem(as('')('/v1/tokens'))).toEqual([401, 'unauthorized'])
    expect(await problem(as(token)('/v1/tokens', json('POST', {})))).toEqual([403, 'insufficient_scope'])
    expect(await problem(as(token)(`/v1/tokens/${id}`, { method: 'DELETE' }))).toEqual([403, 'insufficient_scope'])
    expect((await node.ask(`/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect(await problem(as(token)('/v1/tokens/self'))).toEqual([401, 'unauthorized'])
    expect(await problem(node.ask(`/v1/tokens/${id}`, { method: 'DELETE' }))).toEqual([404, 'token_not_found'])
  })

  test('are asked for by HEAD as by GET', async () => {
    expect((await as('')('/v1/tokens', { method: 'HEAD' })).status).toBe(401)
    expect((await node.ask('/v1/tokens', { method: 'HEAD' })).status).toBe(200)
  })

  test.each(['revoked', 'expired'])('that are %s end what is under way with them', async (how) => {
    const expiresAt = how === 'expired' ? Date.now() + 3000 : Date.now() + 3_600_000
    const { id, token } = await make('alice', ['media:write', 'events:read', 'node:admin'], { expiresAt })
    const { token: other } = await make('alice', ['events:read'])
    const [stream, untouched] = await Promise.all([as(token)('/v1/events'), as(other)('/v1/events')])
    expect([stream.status, untouched.status]).toEqual([200, 200])
    let wakeUp: () => void = () => undefined
    const stalled = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new Uint8Array(10))
        wakeUp = () => controller.close()
      },
    })
    const upload = as(token)('/v1/media?name=under%20way', { method: 'PUT', body: stalled }).then(
      () => 'answered',
      () => 'ended',
    )
    const drained = stream.text().then(
      () => 'whole',
      () => 'ended',
    )
    if (how === 'revoked') await as(token)(`/v1/tokens/${id}`, { method: 'DELETE' })
    expect([await upload, await drained]).toEqual(['ended', 'ended'])
    wakeUp()
    expect((await as(other)('/v1/tokens/self')).status).toBe(200)
    const reader = untouched.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await reader?.cancel()
  })

  test('outlive a restart of the node', async () => {
    const { token } = await make('alice', ['media:write'])
    await node.restart()
    expect((await as(token)('/v1/tokens/self')).status).toBe(200)
  })

  test.each([
    ['no owner', { scopes: ['media:write'] }],
    ["the operator's owner", { owner: '', scopes: ['media:write'] }],
    ['an owner with a line break', { owner: 'a\nb', scopes: ['media:write'] }],
    ['an unknown scope', { owner: 'a', scopes: ['media:everything'] }],
    ['no scope', { owner: 'a', scopes: [] }],
    ['a past end', { owner: 'a', scopes: ['media:write'], expiresAt: 5 }],
    ['a reader that is none', { owner: 'a', scopes: ['media:write'], reader: 'age1' }],
    ['a misspelt field', { owner: 'a', scopes: ['media:write'], expires: 5 }],
    ['a list', []],
    ['null', null],
  ])('with %s are refused', async (_what, body) => {
    expect(await problem(node.ask('/v1/tokens', json('POST', body)))).toEqual([400, 'invalid_input'])
  })

  test.each([
    ['Bearer', 'no token'],
    ['Bearer  ', 'no token'],
    ['Basic YTpi', 'another scheme'],
    ['Bearer a b', 'two tokens'],
    [`Bearer ${'x'.repeat(10_000)}`, 'a long token'],
    ['Bearer en_0123456789abcdef_', 'half a token'],
  ])('%.20s (%s) is refused even where none is needed', async (authorization) => {
    expect(await problem(fetch(`${node.url}/v1/media`, { headers: { authorization } }))).toEqual([401, 'unauthorized'])
  })
})

describe('scopes', () => {
  let id: string
  beforeAll(async () => {
    const { token } = await make('carol', ['media:write'])
    id = (await put(token, 'scoped')).id
  })

  test.each<[string, string, Scope]>([
    ['PUT', '/v1/media?name=x', 'media:write'],
    ['POST', '/v1/media', 'media:write'],
    ['POST', '/v1/media/:id/pause', 'media:write'],
    ['PUT', '/v1/media/:id/limits', 'media:write'],
    ['DELETE', '/v1/media/:id', 'media:delete'],
    ['POST', '/v1/members', 'members:admin'],
    ['POST', '/v1/tokens', 'node:admin'],
    ['GET', '/v1/tokens', 'node:admin'],
    ['GET', '/v1/quotas', 'node:admin'],
    ['PUT', '/v1/quotas/carol', 'node:admin'],
  ])('%s %s needs %s, and says so', async (method, path, scope) => {
    const all: Scope[] = [
      'media:write',
      'media:read-private',
      'media:delete',
      'members:admin',
      'graph:write',
      'events:read',
    ]
    const { token } = await make(
      'carol',
      all.filter((other) => other !== scope),
    )
    const answer = await as(token)(path.replace(':id', id), { method })
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer realm="eldernode", error="insufficient_scope", scope="${scope}"`,
    )
    expect(await problem(answer)).toEqual([403, 'insufficient_scope'])
  })
})
