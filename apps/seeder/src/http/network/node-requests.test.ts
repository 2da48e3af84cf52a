import { signRequest, WebIdentity } from '@eldernode/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
let stranger: WebIdentity

beforeAll(async () => {
  node = await startTestNode()
  stranger = await WebIdentity.generate()
})

afterAll(async () => {
  await node.stop()
})

const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as Problem).code]

test('a request signed by no member is refused, though anybody may ask without a signature', async () => {
  const headers = await signRequest({ method: 'GET', url: `${node.url}/v1/media` }, stranger, Date.now())
  expect(await codeOf(await fetch(`${node.url}/v1/media`, { headers }))).toEqual([401, 'unsigned_request'])
  expect((await fetch(`${node.url}/v1/media`)).status).toBe(200)
})

test('a member signs for one node, one path and one time', async () => {
  const open = await startTestNode({ network: { open: true } })
  try {
    const headers = await signRequest({ method: 'GET', url: `${open.url}/v1/media?limit=5` }, stranger, Date.now())
    expect((await fetch(`${open.url}/v1/media?limit=5`, { headers })).status).toBe(200)
    expect(await codeOf(await fetch(`${open.url}/v1/media?limit=5`, { headers }))).toEqual([401, 'unsigned_request'])
    const other = await signRequest({ method: 'GET', url: `${node.url}/v1/media` }, stranger, Date.now())
    expect(await codeOf(await fetch(`${open.url}/v1/media`, { headers: other }))).toEqual([401, 'unsigned_request'])
  } finally {
    await open.stop()
  }
})

test('a signature does not stand in for the token', async () => {
  const headers = await signRequest({ method: 'DELETE', url: `${node.url}/v1/media/x` }, stranger, Date.now())
  expect(await codeOf(await fetch(`${node.url}/v1/media/x`, { method: 'DELETE', headers }))).toEqual([
    401,
    'unauthorized',
  ])
})
