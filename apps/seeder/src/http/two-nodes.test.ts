import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from './media-view.ts'
import { startTestNode, type TestNode } from './testing/test-node.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const patience = { timeout: 90_000, interval: 100 }
let owner: TestNode
let member: TestNode

beforeAll(async () => {
  owner = await startTestNode()
  const { network } = await json<{ network: { owner: string } }>(owner, '/v1/node')
  const peers = [`${owner.url.replace('http', 'ws')}/gun`]
  member = await startTestNode({ network: { owner: network.owner, peers } })
  const { id } = await json<{ id: string }>(member, '/v1/node')
  const headers = { 'content-type': 'application/json' }
  await owner.ask('/v1/members', { method: 'POST', headers, body: JSON.stringify({ member: id }) })
  await vi.waitUntil(async () => (await member.ask('/ready')).ok, patience)
})

afterAll(async () => {
  await Promise.all([owner.stop(), member.stop()])
})

const json = async <T>(node: TestNode, path: string, init?: RequestInit) =>
  (await (await node.ask(path, init)).json()) as T

test('the member sees the owner, and admits nobody itself', async () => {
  const { id } = await json<{ id: string }>(owner, '/v1/node')
  await vi.waitFor(async () => {
    const { peers } = await json<{ peers: object[] }>(member, '/v1/peers')
    expect(peers).toMatchObject([{ id, state: 'active', endpoints: { http: owner.url } }])
  }, patience)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ member: 'A'.repeat(43) })
  const answer = await member.ask('/v1/members', { method: 'POST', headers, body })
  expect(answer.status).toBe(409)
  expect(await answer.json()).toMatchObject({ code: 'not_owner' })
})

test('an item is served by the member too, retracted by its publisher only, and then gone from both', async () => {
  const bytes = randomBytes(100_000)
  const { id } = await json<MediaView>(owner, '/v1/media?name=shared', { method: 'PUT', body: bytes })
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${id}/content`)).status).toBe(200), patience)
  const copy = await member.ask(`/v1/media/${id}/content`)
  expect(Buffer.from(await copy.arrayBuffer()).equals(bytes)).toBe(true)

  const refused = await member.ask(`/v1/media/${id}`, { method: 'DELETE' })
  expect(refused.status).toBe(409)
  const publisher = await json<{ id: string }>(owner, '/v1/node')
  expect(await refused.json()).toMatchObject({ code: 'not_publisher', publisher: publisher.id, endpoint: owner.url })

  expect((await owner.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  expect((await owner.ask(`/v1/media/${id}/content`)).status).toBe(410)
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${id}/content`)).status).toBe(410), patience)
})

test('the member may drop its copy, and the item stays where it was published', async () => {
  const { id } = await json<MediaView>(owner, '/v1/media?name=dropped', { method: 'PUT', body: 'dropped' })
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${id}`)).status).toBe(200), patience)
  const dropped = await member.ask(`/v1/media/${id}?local=1`, { method: 'DELETE' })
  expect(await dropped.json()).toEqual({ id, state: 'dropped' })
  expect((await member.ask(`/v1/media/${id}`)).status).toBe(404)
  expect((await owner.ask(`/v1/media/${id}/content`)).status).toBe(200)
})

test('what the member publishes itself is retracted by it, though the owner had it first', async () => {
  const put = { method: 'PUT', body: 'published by two' }
  const { id } = await json<MediaView>(owner, '/v1/media?name=both', put)
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${id}`)).status).toBe(200), patience)
  expect((await member.ask('/v1/media?name=both', put)).status).toBe(200)
  expect((await member.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  expect((await owner.ask(`/v1/media/${id}/content`)).status).toBe(200)
  expect((await member.ask(`/v1/media/${id}/content`)).status).toBe(200)
})
