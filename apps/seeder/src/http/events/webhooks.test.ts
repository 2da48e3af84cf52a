import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Receiver } from '../../events/testing/receiver.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, json, makeToken } from '../testing/tokens.ts'

interface View {
  id: string
  secret?: string
  url: string
  active: boolean
  delivered: number
}

let node: TestNode
let receiver: Receiver
beforeAll(async () => {
  node = await startTestNode()
  receiver = await Receiver.open()
})
afterAll(async () => {
  await receiver.close()
  await node.stop()
})

const send = (method: string, path: string, body?: unknown) =>
  node.ask(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })

async function create(options: object = {}): Promise<View> {
  const response = await send('POST', '/v1/webhooks', { url: `${receiver.url}/hook`, ...options })
  expect(response.status).toBe(201)
  return (await response.json()) as View
}

const one = async (id: string) => (await (await send('GET', `/v1/webhooks/${id}`)).json()) as View

test('a publication reaches a webhook, signed so that the library of Standard Webhooks takes it', async () => {
  const { id, secret = '' } = await create({ types: ['published'] })
  const published = await node.ask('/v1/media?name=hooked.txt', { method: 'PUT', body: 'hooked' })
  const item = (await published.json()) as { id: string }
  await vi.waitFor(async () => expect((await one(id)).delivered).toBe(1), { timeout: 10_000 })
  const got = receiver.received[0]!
  const headers = got.headers as Record<string, string>
  const message = new Webhook(secret).verify(got.body, headers) as { type: string; timestamp: string; data: object }
  expect(message).toMatchObject({ type: 'published', data: { infoHash: item.id, access: 'public' } })
  expect(Math.abs(Date.parse(message.timestamp) - Date.now())).toBeLessThan(60_000)
  expect(() => new Webhook(secret).verify(got.body.replace('published', 'Published'), headers)).toThrow(
    'No matching signature',
  )
  expect((await send('DELETE', `/v1/webhooks/${id}`)).status).toBe(204)
})

test('made, listed, changed and removed; the secret is shown once', async () => {
  const { id, secret } = await create({ label: 'mine' })
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  const list = (await (await send('GET', '/v1/webhooks')).json()) as { webhooks: View[] }
  expect(list.webhooks).toEqual([expect.objectContaining({ id, label: 'mine', active: true, pending: 0 })])
  expect(JSON.stringify([list, await one(id)])).not.toContain('whsec_')
  const changed = await send('PUT', `/v1/webhooks/${id}`, { url: 'https://example.org/other', active: false })
  expect(await changed.json()).toMatchObject({ id, url: 'https://example.org/other', active: false, label: '' })
  await node.restart()
  expect(await one(id)).toMatchObject({ url: 'https://example.org/other', active: false })
  expect((await send('DELETE', `/v1/webhooks/${id}`)).status).toBe(204)
  for (const method of ['GET', 'DELETE']) expect((await send(method, `/v1/webhooks/${id}`)).status).toBe(404)
})

test.each([
  [{}],
  [{ url: 'ftp://example.org/' }],
  [{ url: 'http://user:password@example.org/' }],
  [{ url: `http://example.org/${'x'.repeat(500)}` }],
  [{ url: 'http://example.org/', types: ['party'] }],
  [{ url: 'http://example.org/', secret: 'mine' }],
])('refuses %j', async (body) => {
  const response = await send('POST', '/v1/webhooks', body)
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'invalid_input'])
})

test('nothing is sent for an owner whose last token for it was revoked', async () => {
  const { id: token, token: bearer } = await makeToken(node, 'gone', ['events:read'])
  await makeToken(node, 'gone', ['media:write'])
  const body = { url: `${receiver.url}/gone`, types: ['published'] }
  const hers = (await (await askAs(node, bearer)('/v1/webhooks', json('POST', body))).json()) as View
  const { id: all } = await create({ types: ['published'] })
  await node.ask('/v1/media?name=heard.txt', { method: 'PUT', body: 'heard' })
  await vi.waitFor(async () => expect((await one(hers.id)).delivered).toBe(1), { timeout: 10_000 })
  expect((await send('DELETE', `/v1/tokens/${token}`)).status).toBe(204)
  expect(await one(hers.id)).toMatchObject({ active: false, pending: 0 })
  await node.ask('/v1/media?name=unheard.txt', { method: 'PUT', body: 'unheard' })
  await vi.waitFor(async () => expect((await one(all)).delivered).toBe(2), { timeout: 10_000 })
  expect(receiver.received.filter(({ path }) => path === '/gone')).toHaveLength(1)
})

test('strangers have none', async () => {
  for (const path of ['/v1/webhooks', `/v1/webhooks/${'a'.repeat(24)}`])
    expect((await fetch(node.url + path)).status).toBe(401)
})
