import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const patience = { timeout: 90_000, interval: 100 }
let owner: TestNode
let member: TestNode

const json = async <T>(node: TestNode, path: string, init?: RequestInit) =>
  (await (await node.ask(path, init)).json()) as T
const post = (node: TestNode, path: string, value: object) =>
  node.ask(path, { method: 'POST', body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })

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

function holdsPlain(node: TestNode, needle: string): boolean {
  return readdirSync(node.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(needle))
}

test('copies are ciphertext, which a node reads in the clear once it was made a reader', async () => {
  const secret = `copied-secret ${randomBytes(60_000).toString('hex')}`
  const body = new FormData()
  body.append('access', 'private')
  for (const name of ['hidden-name/one.txt', 'hidden-name/two.txt']) body.append('file', new Blob([secret, name]), name)
  const { id } = await json<MediaView>(owner, '/v1/media', { method: 'POST', body })
  const copy = await vi.waitUntil(async () => {
    const answer = await member.ask(`/v1/media/${id}`)
    const view = (await answer.json()) as MediaView & { condition?: string }
    return answer.ok && view.condition === 'held' ? view : undefined
  }, patience)
  expect(copy).toMatchObject({ access: 'private', encrypted: true })
  expect(copy).not.toHaveProperty('plain')
  expect((await member.ask(`/v1/media/${id}`, { headers: { authorization: '' } })).status).toBe(404)
  expect(await (await member.ask(`/v1/media/${id}/content/0.age`)).text()).toMatch(/^age-encryption\.org/)
  expect((await member.ask(`/v1/media/${id}/content/one.txt`)).status).toBe(404)
  for (const needle of ['copied-secret', 'hidden-name', 'two.txt']) expect(holdsPlain(member, needle)).toBe(false)

  const { recipient } = await json<{ recipient: string }>(member, '/v1/node')
  expect((await post(owner, `/v1/media/${id}/readers`, { readers: [recipient] })).status).toBe(200)
  const read = await vi.waitUntil(async () => {
    const answer = await member.ask(`/v1/media/${id}/content/two.txt`)
    return answer.ok ? answer : undefined
  }, patience)
  expect(await read.text()).toBe(`${secret}hidden-name/two.txt`)
  expect((await json<MediaView>(member, `/v1/media/${id}`)).plain).toMatchObject({ name: 'hidden-name' })
  for (const needle of ['copied-secret', 'hidden-name']) expect(holdsPlain(member, needle)).toBe(false)
})

test('a successor replaces the copies of what was rotated', async () => {
  const { id } = await json<MediaView>(owner, '/v1/media?name=r&access=private', { method: 'PUT', body: 'rotated' })
  await vi.waitUntil(async () => (await member.ask(`/v1/media/${id}`)).ok, patience)
  const successor = (await (await post(owner, `/v1/media/${id}/rotate`, {})).json()) as MediaView
  await vi.waitUntil(async () => (await member.ask(`/v1/media/${successor.id}`)).ok, patience)
  await vi.waitUntil(async () => (await member.ask(`/v1/media/${id}`)).status === 410, patience)
  expect(await (await owner.ask(`/v1/media/${successor.id}/content`)).text()).toBe('rotated')
})
