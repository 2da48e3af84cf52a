import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from './media-view.ts'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
const published: MediaView[] = []

beforeAll(async () => {
  node = await startTestNode()
  for (const [n, query] of ['tags=jazz,live', 'tags=jazz', 'access=unlisted'].entries()) {
    const answer = await node.ask(`/v1/media?name=Tune%20${n}.txt&${query}`, { method: 'PUT', body: `plain text ${n}` })
    published.push((await answer.json()) as MediaView)
  }
})
afterAll(() => node.stop())

const list = async (query: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${node.url}/v1/media?${query}`, { headers })
  const page = (await answer.json()) as { items: MediaView[]; nextCursor?: string } & Problem
  return answer.ok ? page.items.map(({ name }) => name) : page.code
}
const [zero, one, two] = ['Tune 0.txt', 'Tune 1.txt', 'Tune 2.txt']

test('lists by owner, type, tag, words and time', async () => {
  expect(await list('')).toEqual([one, zero])
  expect(await list('', { authorization: `Bearer ${node.token}` })).toEqual([two, one, zero])
  expect(await list('tag=jazz')).toEqual([one, zero])
  expect(await list('tag=jazz&tag=live')).toEqual([zero])
  expect(await list('type=text')).toEqual([one, zero])
  expect(await list('type=text/plain&q=tune%200')).toEqual([zero])
  expect(await list('type=audio')).toEqual([])
  expect(await list('q=tun')).toEqual([one, zero])
  expect(await list('owner=nobody')).toEqual([])
  const at = published[1]?.createdAt ?? 0
  expect(await list(`from=${at}`)).toEqual([one])
  expect(await list(`until=${encodeURIComponent(new Date(at).toISOString())}`)).toEqual([zero])
})

test.each([
  'from=yesterday',
  'limit=0',
  'limit=1001',
  'type=%2F',
  'type=a/b/c',
  `q=${'x'.repeat(201)}`,
  'cursor=x',
  'until=-1',
])('"%s" is refused', async (query) => {
  expect(await list(query)).toBe('invalid_input')
})

test('a cursor goes on where the page before ended', async () => {
  const page = async (query: string) =>
    (await (await fetch(`${node.url}/v1/media?${query}`)).json()) as { items: MediaView[]; nextCursor?: string }
  const first = await page('limit=1&tag=jazz')
  expect(first.items.map(({ name }) => name)).toEqual([one])
  const second = await page(`limit=1&tag=jazz&cursor=${first.nextCursor}`)
  expect([second.items.map(({ name }) => name), second.nextCursor]).toEqual([[zero], undefined])
})
