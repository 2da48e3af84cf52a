import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Importing, site } from '../testing/importing.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, makeToken } from '../testing/tokens.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
let imports: Importing
beforeAll(async () => {
  node = await startTestNode({ imports: { allowPrivate: true, retries: 1 } })
  imports = new Importing(node)
})
afterAll(() => node.stop())

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('a token that expires takes its imports and uploads with it', async () => {
  let left = 0
  const url = await site((_request, response) => {
    response.on('close', () => left++)
    response.writeHead(200, { 'content-length': 1000 }).write('x'.repeat(10))
  })
  const { token } = await makeToken(node, 'brief', ['media:write'], { expiresAt: Date.now() + 1500 })
  const begun = await new Importing(node, token).begin({ url: `${url}/0` })
  const headers = { 'tus-resumable': '1.0.0', 'upload-length': '9', 'upload-metadata': 'filename eA==' }
  const upload = await askAs(node, token)('/v1/uploads', { method: 'POST', headers })
  expect(upload.status).toBe(201)
  await imports.until(begun, ({ bytes }) => bytes === 10)
  expect(await imports.over(begun)).toMatchObject({ state: 'cancelled' })
  await vi.waitFor(() => expect(left).toBe(1))
  const location = new URL(upload.headers.get('location') ?? '', node.url).pathname
  await vi.waitFor(async () => expect((await node.ask(location)).status).toBe(404), 10_000)
})

test('a source that breaks off is asked for the rest, and one that does not answer is tried again', async () => {
  const bytes = randomBytes(3_000_000)
  const asked: unknown[] = []
  const base = await site(({ headers }, response) => {
    asked.push(headers.range)
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
    const part = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
    const length = { 'content-length': bytes.length - from, etag: '"one"' }
    response.writeHead(from === 0 ? 200 : 206, { ...length, ...(from > 0 && part) })
    if (from > 0) response.end(bytes.subarray(from))
    else response.write(bytes.subarray(0, 2_000_000), () => response.destroy())
  })
  const done = await imports.run({ url: base, sha256: sha256(bytes) })
  expect(done).toMatchObject({ state: 'done', bytes: bytes.length })
  expect(asked).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)])

  const busy = await site((_request, response) => response.writeHead(503).end())
  const waiting = await imports.until(await imports.begin({ url: busy }), ({ error }) => error !== undefined)
  expect(waiting).toMatchObject({
    state: 'queued',
    error: { code: 'import_failed' },
    retryAt: expect.any(Number) as number,
  })
  const metrics = await (await node.ask('/metrics')).text()
  for (const line of ['eldernode_imports{state="waiting"} 1', 'eldernode_imports_retried 1'])
    expect(metrics).toContain(line)
  expect(await imports.cancel(waiting)).toMatchObject({ state: 'cancelled' })
})
