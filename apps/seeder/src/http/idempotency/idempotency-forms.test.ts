import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, json, makeToken } from '../testing/tokens.ts'
import { formOf, problem } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

interface Document {
  paths: Record<string, { post?: { requestBody?: { content: Record<string, unknown> } } }>
}

/** Of the node's own document, so that a route that takes forms cannot forget. */
async function postsTaking(type: string): Promise<string[]> {
  const { paths } = (await (await node.ask('/openapi.json')).json()) as Document
  return Object.entries(paths).flatMap(([path, { post }]) => (post?.requestBody?.content[type] ? [path] : []))
}

const post = (path: string, key: string, name: string, text: string, fields: Record<string, string> = {}) =>
  node.ask(path, { method: 'POST', headers: { 'idempotency-key': key }, body: formOf([[name, text]], fields) })
const shown = async (answer: Response) => [answer.headers.get('idempotency-replayed'), await answer.json()]

test('every form of the document is known again by its fields and its file, and another one is refused', async () => {
  const paths = await postsTaking('multipart/form-data')
  expect(paths).toEqual(expect.arrayContaining(['/v1/media', '/upload', '/api/media/upload']))
  for (const path of paths) {
    const key = randomUUID()
    const first = await post(path, key, 'a.txt', `one of ${path}`)
    expect([path, first.ok]).toEqual([path, true])
    const [, answer] = await shown(first)
    expect([path, ...(await shown(await post(path, key, 'a.txt', `one of ${path}`)))]).toEqual([path, 'true', answer])
    for (const other of [
      post(path, key, 'a.txt', `two of ${path}`),
      post(path, key, 'b.txt', `one of ${path}`),
      post(path, key, 'a.txt', `one of ${path}`, { encrypt: 'true' }),
    ]) {
      expect([path, ...(await problem(await other))]).toEqual([path, 422, 'idempotency_key_reused'])
    }
  }
  expect(await readdir(join(node.data, 'incoming'))).toEqual([])
})

test('a door that takes JSON besides forms knows that by its body', async () => {
  const key = randomUUID()
  const send = (text: string) => {
    const body = JSON.stringify({ source: 'base64', data: Buffer.from(text).toString('base64') })
    const headers = { 'content-type': 'application/json', 'idempotency-key': key }
    return node.ask('/api/media/upload', { method: 'POST', body, headers })
  }
  const [, answer] = await shown(await send('one'))
  expect(await shown(await send('one'))).toEqual(['true', answer])
  expect(await problem(send('two'))).toEqual([422, 'idempotency_key_reused'])
  expect(await problem(post('/api/media/upload', key, 'a.txt', 'one'))).toEqual([422, 'idempotency_key_reused'])
})

test.each(['/upload', '/api/media/upload'])('%s sent again is answered also when no quota is left', async (path) => {
  const owner = `full of ${path}`
  const { token } = await makeToken(node, owner, ['media:write', 'media:read-private'])
  await node.ask(`/v1/quotas/${encodeURIComponent(owner)}`, json('PUT', { items: 1 }))
  const ask = askAs(node, token)
  const key = randomUUID()
  const send = () =>
    ask(path, { method: 'POST', headers: { 'idempotency-key': key }, body: formOf([['a.txt', `all of ${owner}`]]) })
  const [, answer] = await shown(await send())
  expect(await shown(await send())).toEqual(['true', answer])
})
