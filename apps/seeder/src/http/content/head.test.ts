import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

interface Document {
  paths: Record<string, Record<string, unknown>>
}

let node: TestNode
let item: MediaView
let document: Document

beforeAll(async () => {
  node = await startTestNode()
  const answer = await node.ask('/v1/media?name=one.txt', { method: 'PUT', body: 'one' })
  item = (await answer.json()) as MediaView
  document = (await (await node.ask('/openapi.json')).json()) as Document
})
afterAll(() => node.stop())

/** A path of the document, with what names something that is there, or nothing that is. */
const real = (path: string) =>
  path
    .replace(/\{(?:id|mediaId)\}/, item.id)
    .replace('{fileId}', item.sha256)
    .replace(/\{(?:path|\*)\}/, 'one.txt')
    .replace(/\{[^}]+\}/g, 'none')

/** Those that differ from one question to the next, and those of the connection. */
const own = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'x-ratelimit-remaining']
const told = (answer: Response) =>
  Object.fromEntries([...answer.headers].filter(([name]) => !own.includes(name) && !name.startsWith('ratelimit')))

test('whatever answers GET answers HEAD alike, without the bytes', async () => {
  const paths = Object.entries(document.paths).filter(([, methods]) => 'get' in methods)
  expect(paths.length).toBeGreaterThan(20)
  for (const [path] of paths) {
    const abort = new AbortController()
    const get = await node.ask(real(path), { signal: abort.signal, redirect: 'manual' })
    const head = await node.ask(real(path), { method: 'HEAD', redirect: 'manual' })
    expect([path, head.status]).toEqual([path, get.status])
    expect(await head.text()).toBe('')
    // Of what is made anew for each question only the kind is the same; HEAD does not say where bytes come from.
    const expected = { ...told(get) }
    delete expected['cache-status']
    expect([path, expected['content-type']]).toEqual([path, expect.any(String)])
    expect([path, told(head)['content-type']]).toEqual([path, expected['content-type']])
    const isMadeAnew = !path.endsWith('/content')
    expect(isMadeAnew || told(head)).toEqual(isMadeAnew || expected)
    abort.abort()
    await get.text().catch(() => undefined)
  }
})
