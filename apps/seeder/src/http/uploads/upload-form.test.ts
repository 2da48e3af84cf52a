import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
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

test('makes one item of several files, in their order, with folders and unicode names', async () => {
  const files: [string, string][] = [
    ['b side/02 ünï 夏.txt', 'second'],
    ['a side/01.txt', 'first'],
    ['cover.txt', 'third'],
  ]
  const answer = await uploads.post(formOf(files, { name: 'Ålbum', replicas: '2' }))
  const item = await view(answer)
  expect(answer.status).toBe(201)
  expect(item).toMatchObject({ name: 'Ålbum', replicas: { min: 2, target: 2 }, fileCount: 3 })
  expect(item.files.map(({ path, sha256: hash }) => [path, hash])).toEqual(
    files.map(([path, text]) => [path, sha256(Buffer.from(text))]),
  )
  const torrent = await parseTorrent(
    new Uint8Array(await (await node.ask(`/v1/media/${item.id}/torrent`)).arrayBuffer()),
  )
  expect(torrent).toMatchObject({ infoHash: item.id, name: 'Ålbum' })
})

test('one file alone makes the same item as PUT', async () => {
  const bytes = randomBytes(20_000)
  const item = await view(await uploads.post(formOf([['one.bin', bytes]])))
  expect((await view(await uploads.put('one.bin', bytes))).id).toBe(item.id)
})

test('takes a hundred files', async () => {
  const files = Array.from({ length: 100 }, (_, i): [string, string] => [`folder/${i}.txt`, `file ${i}`])
  const item = await view(await uploads.post(formOf(files)))
  expect(item).toMatchObject({ name: 'folder', fileCount: 100 })
  expect(item.files).toHaveLength(100)
  const listed = await node.ask(`/v1/media/${item.id}/files`)
  expect(await listed.json()).toEqual(item.files)
})

test('refuses a form without a file, an empty file among others, and fields after the files', async () => {
  expect(await problem(uploads.post(formOf([], { name: 'x' })))).toEqual([400, 'no_file'])
  expect(
    await problem(
      uploads.post(
        formOf(
          [
            ['a', 'x'],
            ['b', ''],
          ],
          { name: 'x' },
        ),
      ),
    ),
  ).toEqual([422, 'empty_file'])
  const late = formOf([['a', 'x']])
  late.append('name', 'late')
  expect(await problem(uploads.post(late))).toEqual([400, 'invalid_input'])
})

test.each(
  [
    '../up',
    '/etc/passwd',
    'a/../b',
    'a\\b',
    'a//b',
    'x'.repeat(256),
    'x/'.repeat(2500) + 'x',
    `d/${'y/'.repeat(40)}z`,
  ].map(titled),
)('refuses the file name %s of %i characters', async (_, __, name) => {
  expect(await problem(uploads.post(formOf([[name, 'x']])))).toEqual([400, 'invalid_input'])
})

test('refuses a NUL in a file name, fields that are wrong, too long or too many', async () => {
  const part = 'Content-Disposition: form-data; name="file"; filename="a\0b"\r\n\r\nx\r\n'
  const body = `--B\r\n${part}--B--\r\n`
  const headers = { 'content-type': 'multipart/form-data; boundary=B' }
  expect(await problem(node.ask('/v1/media', { method: 'POST', body, headers }))).toEqual([400, 'invalid_input'])
  for (const fields of [{ name: '..' }, { name: 'x'.repeat(5000) }, { replicas: 'many' }, { replicas: '65' }]) {
    expect(await problem(uploads.post(formOf([['a', 'x']], fields as Record<string, string>)))).toEqual([
      400,
      'invalid_input',
    ])
  }
  const many = new FormData()
  for (let n = 0; n < 200; n++) many.append('tags', 'x')
  many.append('file', new Blob(['x']), 'a')
  expect(await problem(uploads.post(many))).toEqual([400, 'invalid_input'])
  const long = { tags: 'x,'.repeat(30_000), readers: 'x,'.repeat(30_000) }
  expect(await problem(uploads.post(formOf([['a', 'x']], { ...long, name: 'x'.repeat(70_000) })))).toEqual([
    400,
    'invalid_input',
  ])
  expect(await problem(uploads.post(formOf([['a', 'x']], { unheard: 'of' })))).toEqual([400, 'invalid_input'])
  expect(await problem(uploads.post(formOf([['a', 'x']], { constructor: 'x' })))).toEqual([400, 'malformed_multipart'])
})

test('refuses what is not multipart', async () => {
  const send = (type: string, body: string) =>
    problem(node.ask('/v1/media', { method: 'POST', body, headers: { 'content-type': type } }))
  expect(await send('application/octet-stream', 'x')).toEqual([415, 'unsupported_media_type'])
  expect(await send('application/json', '{}')).toEqual([415, 'not_multipart'])
  expect(await send('multipart/form-data', 'x')).toEqual([400, 'malformed_multipart'])
  expect(await send('multipart/form-data; boundary=B', 'no boundary at all')).toEqual([400, 'malformed_multipart'])
  expect(await send('multipart/form-data; boundary=B', '--B--\r\n')).toEqual([400, 'no_file'])
})

test.each([
  ['in a part', 'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nsome bytes'],
  ['between parts', 'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nsome bytes\r\n--B\r\n'],
  ['in the headers of a part', 'Content-Disposition: form-data; na'],
])('refuses a form that ends %s', async (_, text) => {
  const headers = { 'content-type': 'multipart/form-data; boundary=B' }
  const before = await uploads.count()
  const answer = node.ask('/v1/media', { method: 'POST', body: `--B\r\n${text}`, headers })
  expect(await problem(answer)).toEqual([400, 'malformed_multipart'])
  expect(await uploads.count()).toBe(before)
})

test('refuses files that together are too large', async () => {
  const half = randomBytes(600_000)
  const answer = uploads.post(
    formOf(
      [
        ['a', half],
        ['b', half],
      ],
      { name: 'both' },
    ),
  )
  expect(await problem(answer)).toEqual([413, 'item_too_large'])
})

test('stores nothing of a form whose connection ends, and cuts off one that stalls', async () => {
  const before = await uploads.count()
  const head = `POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${node.token}\r\nContent-Length: 90000\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n`
  const part = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsome bytes'
  expect(await node.raw(head, part)).toMatch(/^HTTP\/1\.1 408 [^]*"code":"upload_stalled"/)
  await new Promise((resolve) => {
    const headers = { authorization: `Bearer ${node.token}`, 'content-type': 'multipart/form-data; boundary=B' }
    const upload = request(`${node.url}/v1/media`, { method: 'POST', headers })
    upload.on('error', resolve)
    upload.write(part, () => upload.destroy(new Error('cut')))
  })
  await node.swept()
  expect(await uploads.count()).toBe(before)
})

test('refuses a file without a name', async () => {
  const body =
    '--B\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--B--\r\n'
  const headers = { 'content-type': 'multipart/form-data; boundary=B' }
  expect(await problem(await node.ask('/v1/media', { method: 'POST', headers, body }))).toEqual([400, 'invalid_input'])
})

test.each([
  ['no Content-Disposition', 'Content-Type: text/plain'],
  ['a line break in its name', 'Content-Disposition: form-data; name="file"; filename="a\nb"'],
  [
    'headers without end',
    `X-Long: ${'x'.repeat(100_000)}\r\nContent-Disposition: form-data; name="file"; filename="a"`,
  ],
])('refuses a form of which one part has %s, instead of publishing the rest', async (_, headers) => {
  const good = 'Content-Disposition: form-data; name="file"; filename="good"\r\n\r\ngood'
  const body = `--B\r\n${good}\r\n--B\r\n${headers}\r\n\r\nlost\r\n--B--\r\n`
  const type = { 'content-type': 'multipart/form-data; boundary="B"' }
  const before = await uploads.count()
  expect(await problem(await node.ask('/v1/media', { method: 'POST', headers: type, body }))).toEqual([
    400,
    'malformed_multipart',
  ])
  expect(await uploads.count()).toBe(before)
})
