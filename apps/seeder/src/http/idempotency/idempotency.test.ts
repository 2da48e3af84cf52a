import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { formOf, problem, Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode({ http: { stallSeconds: 5 } })
})

afterAll(async () => {
  await node.stop()
})

type Files = Parameters<typeof formOf>[0]
const post = (key: string, files: Files, fields?: Record<string, string>) =>
  node.ask('/v1/media', { method: 'POST', headers: { 'idempotency-key': key }, body: formOf(files, fields) })
const postJson = (url: string, key: string, body: unknown) =>
  node.ask(url, {
    method: 'POST',
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('a form sent again gets the answer that it got, also after a restart, and nothing is done', async () => {
  const key = `"${randomUUID()}"`
  const bytes = randomBytes(100_000)
  const first = await post(key, [['a.bin', bytes]], { name: 'A' })
  expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null])
  const item = await view(first)
  const count = await new Uploads(node).count()
  for (const restart of [false, true]) {
    if (restart) await node.restart()
    const again = await post(key, [['a.bin', bytes]], { name: 'A' })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(await view(again)).toEqual(item)
  }
  expect(await new Uploads(node).count()).toBe(count)
  // The quotes of RFC 8941 are not a part of the key.
  expect((await post(key.slice(1, -1), [['a.bin', bytes]], { name: 'A' })).headers.get('idempotency-replayed')).toBe(
    'true',
  )
})

test('a key is good for one request only', async () => {
  const key = randomUUID()
  const bytes = randomBytes(1000)
  expect((await post(key, [['a.bin', bytes]])).status).toBe(201)
  expect(await problem(post(key, [['a.bin', randomBytes(1000)]]))).toEqual([422, 'idempotency_key_reused'])
  expect(await problem(post(key, [['b.bin', bytes]]))).toEqual([422, 'idempotency_key_reused'])
  expect(await problem(post(key, [['a.bin', bytes]], { tags: 'x' }))).toEqual([422, 'idempotency_key_reused'])
  expect(await problem(postJson('/v1/media/check', key, { sha256: ['a'.repeat(64)] }))).toEqual([
    422,
    'idempotency_key_reused',
  ])
})

test('a request that failed may be sent again', async () => {
  const key = randomUUID()
  expect((await post(key, [['a.bin', '']])).status).toBe(422)
  expect((await post(key, [['a.bin', randomBytes(10)]])).status).toBe(201)
})

test('two at once with one key: the second one has to wait', async () => {
  const key = randomUUID()
  const boundary = 'B'
  const part = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="slow.bin"\r\n\r\n`
  const headers = {
    authorization: `Bearer ${node.token}`,
    'idempotency-key': key,
    'content-type': `multipart/form-data; boundary=${boundary}`,
    expect: '100-continue',
  }
  const slow = request(`${node.url}/v1/media`, { method: 'POST', headers })
  const answered = new Promise<number | undefined>((resolve, reject) => {
    slow.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    slow.on('error', reject)
  })
  slow.flushHeaders()
  await once(slow, 'continue')
  slow.write(`${part}slow`)
  // A form that is refused anyhow, should it be the first to have the key.
  await vi.waitFor(async () => {
    expect(await problem(post(key, [['slow.bin', '']]))).toEqual([409, 'idempotency_key_in_use'])
  })
  slow.end(`\r\n--${boundary}--\r\n`)
  expect(await answered).toBe(201)
  const again = await post(key, [['slow.bin', 'slow']])
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
})

test('an upload is begun once', async () => {
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-length': '10',
    'upload-metadata': `filename ${Buffer.from('x').toString('base64')}`,
    'idempotency-key': randomUUID(),
  }
  const begin = (more = {}) => node.ask('/v1/uploads', { method: 'POST', headers: { ...headers, ...more } })
  const first = await begin()
  const again = await begin()
  expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 201, 'true'])
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expect(await problem(begin({ 'upload-length': '11' }))).toEqual([422, 'idempotency_key_reused'])
})

test('what is kept of an answer can be read with the key only', async () => {
  const key = randomUUID()
  await post(key, [['unheard-of-name.bin', randomBytes(10)]])
  const catalog = new DatabaseSync(join(node.data, 'catalog.db'), { readOnly: true })
  const rows = catalog.prepare('SELECT * FROM answers').all()
  catalog.close()
  expect(rows.length).toBeGreaterThan(0)
  const kept = Buffer.concat(rows.flatMap((row) => Object.values(row).filter((value) => value instanceof Uint8Array)))
  expect(kept.includes('unheard-of-name')).toBe(false)
  expect(kept.includes(key)).toBe(false)
})

test.each(['', '""', 'x'.repeat(256), 'a"b', 'ä'])('refuses the key %j', async (key) => {
  const headers = { 'idempotency-key': Buffer.from(key).toString('latin1') }
  const answer = node.ask('/v1/media', { method: 'POST', headers, body: formOf([['a', 'x']]) })
  expect(await problem(answer)).toEqual([400, 'invalid_input'])
})
