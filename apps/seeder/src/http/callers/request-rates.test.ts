import { join } from 'node:path'
import { type Identity, signRequest, WebIdentity } from '@eldernode/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openIdentity } from '@eldernode/member/keys'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, makeToken } from '../testing/tokens.ts'
import { problem } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
let behind: TestNode

beforeAll(async () => {
  // The windows are of the wall clock; it stands still, so that no test falls on the edge of one.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const rate = { token: 1, address: 1, failures: 3 }
  node = await startTestNode({ rate })
  behind = await startTestNode({ rate, http: { trustedProxies: ['127.0.0.0/8'] } })
})
afterAll(async () => {
  await Promise.all([node, behind].map((one) => one.stop()))
  vi.useRealTimers()
})

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

/** How many of so many requests are answered before the limit, and after it none. */
async function answered(most: number, ask: (path: string) => Promise<Response>): Promise<number> {
  const statuses: number[] = []
  for (let n = 0; n < most; n++) statuses.push((await ask('/v1/media')).status)
  const good = statuses.filter((status) => status === 200).length
  expect(statuses).toEqual(statuses.map((_status, n) => (n < good ? 200 : 429)))
  return good
}

const from =
  (forwarded: string, one = behind) =>
  async (path: string) =>
    await fetch(`${one.url}${path}`, { headers: { 'x-forwarded-for': forwarded } })

test('one address sends so many requests in ten seconds, to routes that are none too', async () => {
  pass(10)
  expect(await answered(12, askAs(node, ''))).toBe(10)
  const answer = await askAs(node, '')('/no/such/route')
  expect(answer.headers.get('retry-after')).toBe('10')
  expect(await problem(answer)).toEqual([429, 'rate_limited'])
  pass(9)
  expect(await answered(1, askAs(node, ''))).toBe(0)
  pass(1)
  expect(await answered(1, askAs(node, ''))).toBe(1)
})

test('each token has a limit of its own, and administrators have none', async () => {
  pass(10)
  const { token: first } = await makeToken(node, 'alice', ['media:write'])
  const { token: second } = await makeToken(node, 'alice', ['media:write'])
  const { token: admin } = await makeToken(node, 'alice', ['node:admin'])
  expect(await answered(12, askAs(node, first))).toBe(10)
  expect(await answered(12, askAs(node, second))).toBe(10)
  expect(await answered(12, askAs(node, admin))).toBe(12)
  expect(await answered(12, askAs(node, node.token))).toBe(12)
  expect(await answered(12, askAs(node, ''))).toBe(10)
})

test('web seeds keep to limits of their own', async () => {
  pass(10)
  const answer = await node.ask('/v1/media?name=seed', { method: 'PUT', body: 'seed' })
  const { id } = (await answer.json()) as { id: string }
  for (let n = 0; n < 15; n++) expect((await askAs(node, '')(`/v1/media/${id}/ws/seed`)).status).toBe(200)
})

test('members keep to a limit of their own; who forges their signatures is a stranger', async () => {
  pass(10)
  const member = openIdentity(join(node.data, 'node.key'))
  const signed = (by: Identity) => async (path: string) =>
    await fetch(`${node.url}${path}`, {
      headers: await signRequest({ method: 'GET', url: `${node.url}${path}` }, by, Date.now()),
    })
  expect(await answered(15, signed(member))).toBe(15)
  const stranger = signed(await WebIdentity.generate())
  for (let n = 0; n < 10; n++) expect((await stranger('/v1/media')).status).toBe(401)
  expect(await problem(stranger('/v1/media'))).toEqual([429, 'rate_limited'])
  expect(await answered(1, askAs(node, ''))).toBe(0)
})

test('who sends wrong tokens may try no other for a minute; tokens in use go on', async () => {
  pass(60)
  const { token: used } = await makeToken(node, 'alice', ['media:write'])
  const { token: unused } = await makeToken(node, 'alice', ['media:write'])
  expect((await askAs(node, used)('/v1/media')).status).toBe(200)
  for (let n = 0; n < 3; n++)
    expect(await problem(askAs(node, `${used.slice(0, -1)}${n}`)('/v1/media'))).toEqual([401, 'unauthorized'])
  const refused = await askAs(node, `${used.slice(0, -1)}x`)('/v1/media')
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(await problem(refused)).toEqual([429, 'too_many_failures'])
  // It would be right: that cannot be found out any more.
  expect(await problem(askAs(node, unused)('/v1/media'))).toEqual([429, 'too_many_failures'])
  expect((await askAs(node, used)('/v1/media')).status).toBe(200)
  expect((await askAs(node, node.token)('/v1/media')).status).toBe(200)
  pass(60)
  expect((await askAs(node, unused)('/v1/media')).status).toBe(200)
})

test('without trust in proxies nobody has an address but that of the connection', async () => {
  pass(10)
  let n = 0
  expect(await answered(15, (path) => from(`10.0.0.${++n}`, node)(path))).toBe(10)
})

test('a trusted proxy names its clients; what they say of themselves is not believed', async () => {
  pass(10)
  expect(await answered(12, from('203.0.113.1'))).toBe(10)
  expect(await answered(12, from('203.0.113.2'))).toBe(10)
  let n = 0
  expect(await answered(12, (path) => from(`198.51.100.${++n}, 203.0.113.3`)(path))).toBe(10)
  expect(await answered(12, (path) => from(`203.0.113.4, 127.0.0.${++n}`)(path))).toBe(10)
})

test('addresses of one IPv6 subscriber are one client, and an address may be written in several ways', async () => {
  pass(10)
  let n = 0
  expect(await answered(12, (path) => from(`2001:db8:1:2::${++n}`)(path))).toBe(10)
  expect(await answered(1, from('2001:db8:1:3::1'))).toBe(1)
  expect(await answered(10, from('192.0.2.1'))).toBe(10)
  expect(await answered(1, from('::ffff:192.0.2.1'))).toBe(0)
})

test('what is no address counts for the proxy that let it pass', async () => {
  pass(10)
  let n = 0
  expect(await answered(12, (path) => from(`unknown${++n}`)(path))).toBe(10)
  expect(await answered(2, from('999.1.1.1'))).toBe(0)
  expect(await answered(2, from('x'.repeat(8000)))).toBe(0)
})
