import { createHash, randomBytes } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import parseTorrent from 'parse-torrent'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { formOf, problem, sha256, titled, Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
let uploads: Uploads

beforeAll(async () => {
  node = await startTestNode({ http: { maxUploadBytes: 1_000_000, stallSeconds: 1 } })
  uploads = new Uploads(node)
})

afterAll(async () => {
  await node.stop()
})

afterEach(async () => {
  await node.swept()
})

test('publishes the body and describes it; the same again is the same item', async () => {
  const bytes = randomBytes(300_000)
  const first = await uploads.put('été 夏.bin', bytes)
  const item = await view(first)
  expect(first.status).toBe(201)
  expect(first.headers.get('location')).toBe(`${node.url}/v1/media/${item.id}`)
  expect(item).toMatchObject({
    id: item.infoHash,
    name: 'été 夏.bin',
    size: 300_000,
    sha256: sha256(bytes),
    fileCount: 1,
  })
  expect(item.files).toEqual([
    { path: 'été 夏.bin', size: 300_000, sha256: sha256(bytes), type: 'application/octet-stream' },
  ])
  const again = await uploads.put('été 夏.bin', bytes)
  expect(again.status).toBe(200)
  expect(await again.json()).toEqual(item)
  const torrent = await parseTorrent(
    new Uint8Array(await (await node.ask(`/v1/media/${item.id}/torrent`)).arrayBuffer()),
  )
  expect(torrent).toMatchObject({ infoHash: item.id, urlList: [item.links.webSeed] })
})

test('gives a magnet with the web seed and the peer address of this node', async () => {
  const { magnet, id, links } = await view(await uploads.put('m.bin', 'magnet'))
  const read = new URL(magnet).searchParams
  expect(read.get('xt')).toBe(`urn:btih:${id}`)
  expect(read.get('ws')).toBe(links.webSeed)
  expect(read.get('x.pe')).toMatch(/^127\.0\.0\.1:\d+$/)
})

test('takes bodies of unknown length, of any content type, multipart and JSON included', async () => {
  for (const type of ['multipart/form-data; boundary=x', 'application/json', 'text/html', '', 'no/such; type']) {
    const body = `plain bytes, whatever ${type} says`
    const stream = new Blob([body]).stream()
    const answer = await uploads.put(`typed ${type.length}`, stream, type === '' ? {} : { 'content-type': type })
    expect(answer.status).toBe(201)
    expect((await view(answer)).sha256).toBe(sha256(Buffer.from(body)))
  }
})

test('sets the wanted number of replicas', async () => {
  const answer = await node.ask('/v1/media?name=r&replicas=1', { method: 'PUT', body: 'replicas' })
  expect((await view(answer)).replicas).toEqual({ min: 1, target: 1 })
})

test.each(['..', '.', '', 'a/b', 'a\\b', 'nul\0byte', 'x'.repeat(256), 'x'.repeat(5000), 'é'.repeat(128)].map(titled))(
  'refuses the name %s of %i characters',
  async (_, __, name) => {
    expect(await problem(uploads.put(name, 'x'))).toEqual([400, 'invalid_input'])
  },
)

test.each(['/v1/media', '/v1/media?name=a&name=b', '/v1/media?name=a&replicas=0'])('refuses %s', async (path) => {
  expect(await problem(node.ask(path, { method: 'PUT', body: 'x' }))).toEqual([400, 'invalid_input'])
})

test('refuses an empty body', async () => {
  expect(await problem(uploads.put('empty', ''))).toEqual([422, 'empty_file'])
})

test('refuses packed and partial bodies', async () => {
  expect(await problem(uploads.put('p', 'x', { 'content-encoding': 'gzip' }))).toEqual([400, 'unsupported_upload'])
  expect(await problem(uploads.put('p', 'x', { 'content-range': 'bytes 0-0/5' }))).toEqual([400, 'unsupported_upload'])
})

test('refuses a body that is too large, announced or not', async () => {
  const tooLarge = new Uint8Array(1_000_001)
  expect(await problem(uploads.put('large', tooLarge))).toEqual([413, 'item_too_large'])
  expect(await problem(uploads.put('large', new Blob([tooLarge]).stream()))).toEqual([413, 'item_too_large'])
})

test('refuses in the middle of a body of unknown length, ends its connection and answers others', async () => {
  const headers = { authorization: `Bearer ${node.token}` }
  const upload = request(`${node.url}/v1/media?name=endless`, { method: 'PUT', headers })
  const gone = new Promise((resolve) => upload.on('error', resolve).once('close', resolve))
  const answered = new Promise<IncomingMessage>((resolve) => upload.once('response', resolve))
  const chunk = randomBytes(500_000)
  for (let sent = 0; sent < 3; sent++) upload.write(chunk)
  const answer = await answered
  expect(answer.statusCode).toBe(413)
  answer.resume()
  await gone
  expect((await node.ask('/health')).status).toBe(200)
})

test('stores nothing of a body that is shorter than announced', async () => {
  const before = await uploads.count()
  await new Promise((resolve) => {
    const headers = { authorization: `Bearer ${node.token}`, 'content-length': '500000' }
    const upload = request(`${node.url}/v1/media?name=short`, { method: 'PUT', headers })
    upload.on('error', resolve)
    upload.write(randomBytes(200_000), () => upload.destroy(new Error('cut')))
  })
  await node.swept()
  expect(await uploads.count()).toBe(before)
})

test('stores nothing of a body that is longer than announced', async () => {
  const before = await uploads.count()
  const head = `PUT /v1/media?name=long HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${node.token}\r\n`
  const answer = await node.raw(`${head}Content-Length: 5\r\n\r\n${'0123456789'}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/)
  expect(answer).toMatch(/"code":"malformed_request"/)
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  await node.swept()
  expect(await uploads.count()).toBe(before)
})

test('cuts off a client that stalls, with an answer', async () => {
  const head = `PUT /v1/media?name=stall HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${node.token}\r\n`
  const answer = await node.raw(`${head}Content-Length: 500000\r\n\r\n`, randomBytes(1000))
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(answer).toMatch(/"code":"upload_stalled"/)
})

test('asks for the body only of those that have the token', async () => {
  const head = 'PUT /v1/media?name=expect HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n'
  expect(await node.raw(`${head}Content-Length: 5\r\n\r\n`)).toMatch(/^HTTP\/1\.1 401 /)
  const answer = await node.raw(`${head}Authorization: Bearer ${node.token}\r\nContent-Length: 5\r\n\r\n`, '01234')
  expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
})

test('takes little of a body that it refused', async () => {
  const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write('PUT /v1/media?name=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')])
  const pump = (): void => {
    while (!socket.destroyed && socket.bytesWritten < 200e6 && socket.write(chunk)) continue
  }
  socket.on('drain', pump)
  socket.resume()
  pump()
  await closed
  expect(socket.bytesWritten).toBeLessThan(90e6)
})

test('refuses without the token before the body has arrived, and does not wait for it', async () => {
  const head = 'PUT /v1/media?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n'
  const credentials = ['', 'Authorization: Bearer wrong\r\n', `Authorization: Basic ${node.token}\r\n`]
  const send = (authorization: string) => node.raw(`${head}${authorization}\r\n`, 'the first of many bytes')
  for (const answer of await Promise.all(credentials.map(send))) {
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(answer).toMatch(/www-authenticate: Bearer/i)
    expect(answer).toMatch(/"code":"unauthorized"/)
  }
})

test('compares what arrived with the SHA-256 that was said', async () => {
  const bytes = randomBytes(10_000)
  const digest = (of: Uint8Array) => `sha-256=:${createHash('sha256').update(of).digest('base64')}:`
  const wrong = { 'repr-digest': digest(randomBytes(3)) }
  expect(await problem(uploads.put('digest.bin', bytes, wrong))).toEqual([422, 'digest_mismatch'])
  expect(await problem(uploads.put('digest.bin', bytes, { 'repr-digest': 'sha-256=:x:' }))).toEqual([
    400,
    'invalid_input',
  ])
  expect(await problem(uploads.post(formOf([['a', bytes]], { sha256: sha256(randomBytes(3)) })))).toEqual([
    422,
    'digest_mismatch',
  ])
  expect((await node.ask(`/v1/media/${sha256(bytes)}`)).status).toBe(404)
  expect((await uploads.put('digest.bin', bytes, { 'content-digest': digest(bytes) })).status).toBe(201)
  expect((await uploads.post(formOf([['b', bytes]], { sha256: sha256(bytes) }))).status).toBe(201)
})
