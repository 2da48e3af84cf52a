import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const patience = { timeout: 30_000, interval: 50 }
let owner: TestNode
let member: TestNode

beforeAll(async () => {
  owner = await startTestNode()
  const { network } = await json<{ network: { owner: string } }>(owner, '/v1/node')
  const peers = [`${owner.url.replace('http', 'ws')}/gun`]
  member = await startTestNode({ network: { owner: network.owner, peers } })
  await post(owner, '/v1/members', { member: (await json<{ id: string }>(member, '/v1/node')).id })
  await vi.waitUntil(async () => (await member.ask('/ready')).ok, patience)
})

afterAll(async () => {
  await Promise.all([owner.stop(), member.stop()])
})

const json = async <T>(node: TestNode, path: string, init?: RequestInit) =>
  (await (await node.ask(path, init)).json()) as T
const post = (node: TestNode, path: string, body: object) =>
  node.ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const status = async (node: TestNode, path: string) => (await node.ask(path)).status
const upload = (node: TestNode, name: string, bytes: Uint8Array = randomBytes(50_000)) =>
  json<MediaView>(node, `/v1/media?name=${name}&replicas=2`, { method: 'PUT', body: new Blob([bytes]) })

test('the owner of the network has an item taken down that another published, and lets it come back', async () => {
  const bytes = randomBytes(50_000)
  const { id } = await upload(member, 'unwanted', bytes)
  await vi.waitFor(async () => expect(await status(owner, `/v1/media/${id}`)).toBe(200), patience)
  const denied = await post(owner, '/v1/denials', { infoHash: id, reason: 'a court order' })
  expect(denied.status).toBe(201)
  const denial = (await denied.json()) as { purgeAfter: number }
  expect(denial).toMatchObject({ infoHash: id, state: 'denied', reason: 'a court order' })
  for (const node of [owner, member]) {
    await vi.waitFor(async () => expect(await status(node, `/v1/media/${id}/content`)).toBe(410), patience)
  }
  expect((await json<{ denials: object[] }>(member, '/v1/denials')).denials).toEqual([denial])
  // Its publisher cannot bring it back.
  const again = await member.ask('/v1/media?name=unwanted', { method: 'PUT', body: new Blob([bytes]) })
  expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([403, 'item_denied'])

  const lifted = await owner.ask(`/v1/denials/${id}`, { method: 'DELETE' })
  expect(await lifted.json()).toEqual({ infoHash: id, state: 'lifted' })
  for (const node of [owner, member]) {
    await vi.waitFor(async () => expect(await status(node, `/v1/media/${id}/content`)).toBe(200), patience)
  }
  expect((await owner.ask(`/v1/denials/${id}`, { method: 'DELETE' })).status).toBe(404)
  expect((await json<{ denials: object[] }>(owner, '/v1/denials')).denials).toEqual([])
})

test('the bytes of a denied item go when their time has come', async () => {
  const { id } = await upload(member, 'purged')
  await vi.waitFor(async () => expect(await status(owner, `/v1/media/${id}`)).toBe(200), patience)
  await post(owner, '/v1/denials', { infoHash: id, purgeAfter: Date.now() + 1500 })
  for (const node of [owner, member]) {
    await vi.waitFor(async () => expect(await status(node, `/v1/media/${id}`)).toBe(404), patience)
  }
})

test('nobody but the owner of the network denies, and nothing that is no infohash', async () => {
  const infoHash = 'ab'.repeat(20)
  const refused = await post(member, '/v1/denials', { infoHash })
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'not_owner'])
  expect((await member.ask(`/v1/denials/${infoHash}`, { method: 'DELETE' })).status).toBe(409)
  expect((await post(owner, '/v1/denials', { infoHash: 'AB'.repeat(20) })).status).toBe(400)
  expect((await post(owner, '/v1/denials', { infoHash, purgeAfter: 5 })).status).toBe(400)
  expect((await fetch(`${owner.url}/v1/denials`)).status).toBe(401)
  expect((await fetch(`${owner.url}/v1/denials`, { method: 'POST' })).status).toBe(401)
})
