import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

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
  // Its content is read through the member before the member holds it.
  await vi.waitFor(async () => expect((await member.ask(`/v1/media/${id}`)).status).toBe(200), patience)
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

test('an item dropped by its own publisher stays away over a restart, until it is published again', async () => {
  const put = { method: 'PUT', body: 'dropped by its publisher' }
  const { id } = await json<MediaView>(member, '/v1/media?name=own', put)
  const lost = await json<MediaView>(owner, '/v1/media?name=lost', { method: 'PUT', body: 'lost and fetched again' })
  await vi.waitUntil(async () => (await owner.ask(`/v1/media/${id}`)).ok, patience)
  await vi.waitUntil(async () => (await member.ask(`/v1/media/${lost.id}`)).ok, patience)
  expect((await member.ask(`/v1/media/${id}?local=1`, { method: 'DELETE' })).status).toBe(200)
  // Only a pass over all items finds out that this one is missing.
  await rm(join(member.data, 'blobs', lost.sha256.slice(0, 2), lost.sha256))
  await member.restart()
  await vi.waitUntil(async () => (await member.ask(`/v1/media/${lost.id}`)).ok, patience)
  await vi.waitUntil(
    async () => (await json<{ replicationQueue: number }>(member, '/health')).replicationQueue === 0,
    patience,
  )
  expect((await member.ask(`/v1/media/${id}`)).status).toBe(404)
  expect((await owner.ask(`/v1/media/${id}/content`)).status).toBe(200)
  expect((await member.ask('/v1/media?name=own', put)).status).toBe(201)
  await member.restart()
  expect((await member.ask(`/v1/media/${id}/content`)).status).toBe(200)
})

test('an item of two publishers outlives the retraction of the first, and not that of the second', async () => {
  const put = { method: 'PUT', body: 'published by the owner first' }
  const { id } = await json<MediaView>(owner, '/v1/media?name=two', put)
  await vi.waitUntil(async () => (await member.ask(`/v1/media/${id}`)).ok, patience)
  expect((await member.ask('/v1/media?name=two', put)).status).toBe(200)
  // Values come in order, so that the owner knows the member's manifest once it holds what was published after it.
  const later = await json<MediaView>(member, '/v1/media?name=later', { method: 'PUT', body: 'later' })
  await vi.waitUntil(async () => (await owner.ask(`/v1/media/${later.id}`)).ok, patience)
  expect((await owner.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  expect((await owner.ask(`/v1/media/${id}/content`)).status).toBe(200)
  expect((await member.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  for (const node of [member, owner]) {
    await vi.waitUntil(async () => (await node.ask(`/v1/media/${id}/content`)).status === 410, patience)
  }
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
