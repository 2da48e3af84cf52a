import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Importing, site } from '../testing/importing.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { formOf, problem, sha256, Uploads } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const full = [507, 'storage_full']
let node: TestNode
let uploads: Uploads

beforeAll(async () => {
  node = await startTestNode({ storage: { capacityBytes: 100_000 }, imports: { allowPrivate: true } })
  uploads = new Uploads(node)
})
afterAll(async () => {
  await node.stop()
})

const bytesOf = (size: number) => new Uint8Array(randomBytes(size))
const tus = { 'tus-resumable': '1.0.0' }
const begin = async (length: Record<string, string>, metadata = `filename ${btoa('part')}`) =>
  await node.ask('/v1/uploads', { method: 'POST', headers: { ...tus, ...length, 'upload-metadata': metadata } })
const send = async (begun: Response, size: number) =>
  await node.ask(new URL(begun.headers.get('location') ?? '', node.url).pathname, {
    method: 'PATCH',
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: bytesOf(size),
  })
const end = async (begun: Response) =>
  await node.ask(new URL(begun.headers.get('location') ?? '', node.url).pathname, { method: 'DELETE', headers: tus })

test('no upload goes beyond the capacity, in whatever way it comes', async () => {
  expect(await problem(uploads.put('large', bytesOf(100_001)))).toEqual(full)
  // Refused by its length: no byte of it is awaited.
  const never = `PUT /v1/media?name=x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${node.token}\r\ncontent-length: 100001\r\n\r\n`
  expect(await node.raw(never)).toContain('storage_full')

  const first = bytesOf(50_000)
  expect((await uploads.put('first', first)).status).toBe(201)
  async function* unsized() {
    for (let n = 0; n < 6; n++) yield bytesOf(10_000)
  }
  expect(await problem(uploads.put('unsized', ReadableStream.from(unsized())))).toEqual(full)
  expect(
    await problem(
      uploads.post(
        formOf([
          ['a', bytesOf(30_000)],
          ['b', bytesOf(30_000)],
        ]),
      ),
    ),
  ).toEqual(full)
  expect(await problem(begin({ 'upload-length': '50001' }))).toEqual(full)

  // What was begun has its room, and no other gets it.
  const begun = await begin({ 'upload-length': '40000' })
  expect(begun.status).toBe(201)
  expect(await problem(uploads.put('other', bytesOf(10_001)))).toEqual(full)
  expect((await send(begun, 40_000)).status).toBe(204)
  const deferred = await begin({ 'upload-defer-length': '1' })
  expect(await problem(send(deferred, 10_001))).toEqual(full)
  await end(deferred)

  const both = await Promise.all(['one', 'two'].map(async (name) => (await uploads.put(name, bytesOf(6000))).status))
  expect(both.toSorted((a, b) => a - b)).toEqual([201, 507])

  const source = await site((_request, response) => response.end(bytesOf(5000)))
  const importing = new Importing(node)
  const imported = await importing.over(await importing.begin({ url: `${source}/file` }))
  expect(imported.error?.code).toBe('storage_full')

  // What is held already needs no room, whether it is sent or begun.
  expect((await node.ask(`/v1/media?name=again&sha256=${sha256(first)}`, { method: 'PUT', body: first })).status).toBe(
    201,
  )
  const known = await begin({ 'upload-length': '50000' }, `filename ${btoa('known')},sha256 ${btoa(sha256(first))}`)
  expect(known.status).toBe(201)
  await end(known)
  expect((await uploads.put('last', bytesOf(4000))).status).toBe(201)
  expect(await problem(uploads.put('over', bytesOf(1)))).toEqual(full)
})
