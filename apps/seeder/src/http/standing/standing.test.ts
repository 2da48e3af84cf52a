import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { makeToken } from '../testing/tokens.ts'
import { problem, Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const patience = { timeout: 20_000, interval: 50 }

let node: TestNode
beforeAll(async () => {
  node = await startTestNode({ replicas: { min: 1, target: 2 } })
})
afterAll(() => node.stop())

interface Health {
  id: string
  level: string
  min: number
  target: number
  wanted: string[]
  copies: { id: string; state: string; live: boolean }[]
  why: { code: string }[]
}
interface Page {
  totals: Record<string, { items: number; bytes: number }>
  alarms: { code: string }[]
  items: Health[]
  nextCursor?: string
}

const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T
const page = (query = '') => json<Page>(node.ask(`/v1/replication${query}`))
const put = async (name: string) => view(await new Uploads(node).put(name, randomBytes(1000)))

test('an item says how it stands: alone in the list, by itself, and in the totals', async () => {
  const { id } = await put('one.bin')
  const self = (await json<{ id: string }>(node.ask('/v1/node'))).id
  const health = await vi.waitFor(async () => {
    const { replication } = await json<{ replication?: Health }>(node.ask(`/v1/media/${id}`))
    expect(replication?.copies).toMatchObject([{ id: self, state: 'held', live: true }])
    return replication
  }, patience)
  // Nobody is there to prove it.
  expect(health).toMatchObject({ level: 'lost', min: 1, target: 2, wanted: [self] })
  expect(health?.why.length).toBeGreaterThan(0)
  const all = await page()
  expect(all.items.map((item) => item.id)).toEqual([id])
  expect(all.items[0]).toMatchObject({ ...health })
  await vi.waitFor(async () => expect((await page()).totals['lost']).toEqual({ items: 1, bytes: 1000 }), patience)
  // Early after a start few were heard from.
  expect((await page()).alarms).toEqual([])
  const metrics = await (await node.ask('/metrics')).text()
  expect(metrics).toContain('eldernode_replication_items{level="lost"} 1')
  expect(metrics).toContain('eldernode_replication_bytes{level="lost"} 16777216')
})

test('the list comes in pages, by level', async () => {
  for (const name of ['two.bin', 'three.bin']) await put(name)
  await vi.waitFor(async () => expect((await page()).totals['lost']?.items).toBe(3), patience)
  const ids = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await page(`?limit=2&level=lost${cursor === undefined ? '' : `&cursor=${cursor}`}`)
    ids.push(...items.map(({ id }) => id))
    cursor = nextCursor
  } while (cursor !== undefined)
  expect(ids).toEqual([...ids].toSorted())
  expect(new Set(ids).size).toBe(3)
  expect((await page('?level=at-target')).items).toEqual([])
  expect((await page('?limit=0')).items).toEqual([])
  for (const bad of ['level=fine', 'cursor=xyz', 'limit=1001'])
    expect(await problem(node.ask(`/v1/replication?${bad}`))).toEqual([400, 'invalid_input'])
})

test('the whole picture is for administrators', async () => {
  const { token } = await makeToken(node, 'alice', ['media:write'])
  for (const path of ['/v1/replication', '/v1/node/drain']) {
    expect((await fetch(`${node.url}${path}`)).status).toBe(401)
    expect((await node.ask(path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403)
  }
})

test('an item is repaired by its owner, and by administrators', async () => {
  const { id, sha256 } = await put('repair.bin')
  for (const key of [id, sha256]) {
    const response = await node.ask(`/v1/media/${key}/repair`, { method: 'POST' })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ id, replication: { target: 2 } })
  }
  const { token } = await makeToken(node, 'alice', ['media:write'])
  const asAlice = { method: 'POST', headers: { authorization: `Bearer ${token}` } }
  expect(await problem(node.ask(`/v1/media/${id}/repair`, asAlice))).toEqual([403, 'not_your_item'])
  expect(await problem(node.ask(`/v1/media/${'0'.repeat(40)}/repair`, { method: 'POST' }))).toEqual([
    404,
    'media_not_found',
  ])
})

test('draining is begun, shown and taken back; a restart keeps it', async () => {
  const drain = (method: string) => json<Record<string, unknown>>(node.ask('/v1/node/drain', { method }))
  expect(await drain('GET')).toEqual({ draining: false })
  expect(await drain('POST')).toMatchObject({ draining: true })
  const { since } = await drain('POST')
  await node.restart()
  // Nobody else is there to take what is here.
  await vi.waitFor(async () => {
    const now = await drain('GET')
    expect(now).toMatchObject({ draining: true, since, done: false })
    expect(now['left']).toMatchObject({ items: 4, bytes: 4000 })
  }, patience)
  // Of a copy that the operator removes nobody else has anything to tell.
  const [dropped] = (await page()).items
  await node.ask(`/v1/media/${dropped?.id}?local=1`, { method: 'DELETE' })
  await vi.waitFor(async () => expect((await drain('GET'))['left']).toEqual({ items: 3, bytes: 3000 }), patience)
  expect(await drain('DELETE')).toEqual({ draining: false })
  expect(await drain('GET')).toEqual({ draining: false })
})
