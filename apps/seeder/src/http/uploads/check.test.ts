import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { formOf, problem, sha256, Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
const tokens: Record<string, string> = {}

beforeAll(async () => {
  node = await startTestNode()
  for (const owner of ['alice', 'bob']) {
    const body = JSON.stringify({ owner, label: owner, scopes: ['media:write', 'media:read-private'] })
    const headers = { 'content-type': 'application/json' }
    const answer = await node.ask('/v1/tokens', { method: 'POST', body, headers })
    tokens[owner] = ((await answer.json()) as { token: string }).token
  }
})

afterAll(async () => {
  await node.stop()
})

const as = (owner: string) => ({ authorization: `Bearer ${tokens[owner] ?? node.token}` })
const publish = async (owner: string, bytes: Uint8Array<ArrayBuffer>, fields: Record<string, string>) => {
  const body = formOf([['a.bin', bytes]], fields)
  const answer = await node.ask('/v1/media', { method: 'POST', headers: as(owner), body })
  expect(answer.status).toBe(201)
  return (await view(answer)).id
}
const check = async (owner: string, ...hashes: string[]) => {
  const headers = { 'content-type': 'application/json', ...as(owner) }
  const answer = await node.ask('/v1/media/check', {
    method: 'POST',
    body: JSON.stringify({ sha256: hashes }),
    headers,
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { found: { sha256: string; id: string }[] }).found.map(({ id }) => id)
}

test('finds public items, and the own ones only of others', async () => {
  const [open, hidden, closed, unknown] = [1, 2, 3, 4].map(() => randomBytes(1000))
  if (!open || !hidden || !closed || !unknown) throw new Error('no bytes')
  const hashes = [open, hidden, closed, unknown].map((bytes) => sha256(bytes))
  const ids = [
    await publish('alice', open, {}),
    await publish('alice', hidden, { access: 'unlisted' }),
    await publish('alice', closed, { access: 'private' }),
  ]
  expect(await check('alice', ...hashes)).toEqual(ids)
  expect(await check('bob', ...hashes)).toEqual(ids.slice(0, 1))
  expect(await new Uploads(node).count()).toBeGreaterThan(0)
})

test('refuses strangers and what is no SHA-256', async () => {
  const send = (body: unknown, headers = {}) =>
    problem(
      fetch(`${node.url}/v1/media/check`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    )
  expect(await send({ sha256: 'a'.repeat(64) })).toEqual([401, 'unauthorized'])
  for (const body of [{}, { sha256: [] }, { sha256: 'abc' }, { sha256: ['a'.repeat(64)], more: 1 }])
    expect(await send(body, as('alice'))).toEqual([400, 'invalid_input'])
})
