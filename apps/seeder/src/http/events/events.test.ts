import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { EventReader } from '../testing/event-reader.ts'

let node: TestNode
beforeAll(async () => {
  node = await startTestNode({ replicas: { min: 1, target: 1 } })
})
afterAll(() => node.stop())

async function publish(name: string): Promise<string> {
  const response = await node.ask(`/v1/media?name=${name}`, { method: 'PUT', body: `bytes of ${name}` })
  expect(response.status).toBe(201)
  return ((await response.json()) as { id: string }).id
}

test('a stream tells of a publication, its copies and its retraction, in order', async () => {
  const reader = await EventReader.open(node)
  const id = await publish('told.txt')
  await reader.next(({ type, data }) => type === 'published' && data.infoHash === id)
  const replicated = await reader.next(({ type, data }) => type === 'replicated' && data.infoHash === id)
  expect(replicated.data).toMatchObject({ copies: 1, target: 1, access: 'public' })
  expect((await node.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  await reader.next(({ type, data }) => type === 'retracted' && data.infoHash === id)
  const numbers = reader.seen.map(({ id: number }) => Number(number))
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  await reader.close()
})

test('a stream goes on behind Last-Event-ID, with nothing lost and nothing told twice, also after a restart', async () => {
  const first = await EventReader.open(node)
  const before = await publish('before.txt')
  const { id: last } = await first.next(({ type, data }) => type === 'published' && data.infoHash === before)
  await first.close()
  const missed = await publish('missed.txt')
  await node.restart()
  const second = await EventReader.open(node, { headers: { 'last-event-id': last } })
  await second.next(({ type, data }) => type === 'published' && data.infoHash === missed)
  expect(second.seen.every(({ id }) => Number(id) > Number(last))).toBe(true)
  expect(second.seen.filter(({ type, data }) => type === 'published' && data.infoHash === before)).toEqual([])
  await second.close()
})

test('a number that this node never gave begins with a gap event', async () => {
  const reader = await EventReader.open(node, { headers: { 'last-event-id': '999999999' } })
  await reader.next(({ type }) => type === 'gap')
  expect(reader.seen[0]?.type).toBe('gap')
  const id = await publish('after-gap.txt')
  await reader.next(({ type, data }) => type === 'published' && data.infoHash === id)
  await reader.close()
})

test('only the types asked for are sent', async () => {
  const reader = await EventReader.open(node, { query: '?types=retracted' })
  const id = await publish('filtered.txt')
  await node.ask(`/v1/media/${id}`, { method: 'DELETE' })
  await reader.next(({ data }) => data.infoHash === id)
  expect(new Set(reader.seen.map(({ type }) => type))).toEqual(new Set(['retracted']))
  await reader.close()
})

test('the token is needed; wrong numbers and types are refused', async () => {
  expect((await fetch(`${node.url}/v1/events`)).status).toBe(401)
  expect((await node.ask('/v1/events?types=party')).status).toBe(400)
  expect((await node.ask('/v1/events', { headers: { 'last-event-id': 'x' } })).status).toBe(400)
})

test('stopping the node ends the streams', async () => {
  const other = await startTestNode()
  const reader = await EventReader.open(other)
  const ended = reader.ended()
  const began = performance.now()
  await other.stop()
  await ended
  expect(performance.now() - began).toBeLessThan(3000)
})
