import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import parseTorrent from 'parse-torrent'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { MediaView } from './media-view.ts'
import type { Problem } from './problem.ts'
import { startTestNode, type TestNode } from './testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode({ http: { maxUploadBytes: 1_000_000, stallSeconds: 1 } })
})

afterAll(async () => {
  await node.stop()
})

afterEach(async () => {
  await node.swept()
})

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const put = (name: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
  node.ask(`/v1/media?name=${encodeURIComponent(name)}`, { method: 'PUT', body, headers })
const post = (form: FormData) => node.ask('/v1/media', { method: 'POST', body: form })
const view = async (response: Response) => (await response.json()) as MediaView
const problem = async (response: Response | Promise<Response>) => {
  const answer = await response
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const body = (await answer.json()) as Problem
  expect(body.status).toBe(answer.status)
  return [answer.status, body.code]
}
const items = async () => {
  const list = (await (await node.ask('/v1/media?limit=1000')).json()) as { items: unknown[] }
  return list.items.length
}

/** A title that stays short and shows what cannot be printed. */
function titled(name: string): [title: string, length: number, name: string] {
  return [JSON.stringify(name.slice(0, 12)), name.length, name]
}

function formOf(
  files: [name: string, bytes: Uint8Array<ArrayBuffer> | string][],
  fields: Record<string, string> = {},
): FormData {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  for (const [name, bytes] of files) body.append('file', new Blob([bytes]), name)
  return body
}

describe('PUT', () => {
  test('publishes the body and describes it; the same again is the same item', async () => {
    const bytes = randomBytes(300_000)
    const first = await put('été 夏.bin', bytes)
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
    const again = await put('été 夏.bin', bytes)
    expect(again.status).toBe(200)
    expect(await again.json()).toEqual(item)
    const torrent = await parseTorrent(
      new Uint8Array(await (await node.ask(`/v1/media/${item.id}/torrent`)).arrayBuffer()),
    )
    expect(torrent).toMatchObject({ infoHash: item.id, urlList: [item.links.webSeed] })
  })

  test('gives a magnet with the web seed and the peer address of this node', async () => {
    const { magnet, id, links } = await view(await put('m.bin', 'magnet'))
    const read = new URL(magnet).searchParams
    expect(read.get('xt')).toBe(`urn:btih:${id}`)
    expect(read.get('ws')).toBe(links.webSeed)
    expect(read.get('x.pe')).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  test('takes bodies of unknown length, of any content type, multipart and JSON included', async () => {
    for (const type of ['multipart/form-data; boundary=x', 'application/json', 'text/html', '', 'no/such; type']) {
      const body = `plain bytes, whatever ${type} says`
      const stream = new Blob([body]).stream()
      const answer = await put(`typed ${type.length}`, stream, type === '' ? {} : { 'content-type': type })
      expect(answer.status).toBe(201)
      expect((await view(answer)).sha256).toBe(sha256(Buffer.from(body)))
    }
  })

  test('sets the wanted number of replicas', async () => {
    const answer = await node.ask('/v1/media?name=r&replicas=1', { method: 'PUT', body: 'replicas' })
    expect((await view(answer)).replicas).toEqual({ min: 1, target: 1 })
  })

  test.each(
    ['..', '.', '', 'a/b', 'a\\b', 'nul\0byte', 'x'.repeat(256), 'x'.repeat(5000), 'é'.repeat(128)].map(titled),
  )('refuses the name %s of %i characters', async (_, __, name) => {
    expect(await problem(put(name, 'x'))).toEqual([400, 'invalid_input'])
  })

  test.each(['/v1/media', '/v1/media?name=a&name=b', '/v1/media?name=a&replicas=0'])('refuses %s', async (path) => {
    expect(await problem(node.ask(path, { method: 'PUT', body: 'x' }))).toEqual([400, 'invalid_input'])
  })

  test('refuses an empty body', async () => {
    expect(await problem(put('empty', ''))).toEqual([422, 'empty_file'])
  })

  test('refuses packed and partial bodies', async () => {
    expect(await problem(put('p', 'x', { 'content-encoding': 'gzip' }))).toEqual([400, 'unsupported_upload'])
    expect(await problem(put('p', 'x', { 'content-range': 'bytes 0-0/5' }))).toEqual([400, 'unsupported_upload'])
  })

  test('refuses a body that is too large, announced or not', async () => {
    const tooLarge = new Uint8Array(1_000_001)
    expect(await problem(put('large', tooLarge))).toEqual([413, 'item_too_large'])
    expect(await problem(put('large', new Blob([tooLarge]).stream()))).toEqual([413, 'item_too_large'])
  })

  test('stores nothing of a body that is shorter than announced', async () => {
    const before = await items()
    await new Promise((resolve) => {
      const headers = { authorization: `Bearer ${node.token}`, 'content-length': '500000' }
      const upload = request(`${node.url}/v1/media?name=short`, { method: 'PUT', headers })
      upload.on('error', resolve)
      upload.write(randomBytes(200_000), () => upload.destroy(new Error('cut')))
    })
    await node.swept()
    expect(await items()).toBe(before)
  })

  test('stores nothing of a body that is longer than announced', async () => {
    const before = await items()
    const head = `PUT /v1/media?name=long HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${node.token}\r\n`
    const answer = await node.raw(`${head}Content-Length: 5\r\n\r\n${'0123456789'}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/)
    expect(answer).toMatch(/"code":"malformed_request"/)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    await node.swept()
    expect(await items()).toBe(before)
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
})

describe('POST', () => {
  test('makes one item of several files, in their order, with folders and unicode names', async () => {
    const files: [string, string][] = [
      ['b side/02 ünï 夏.txt', 'second'],
      ['a side/01.txt', 'first'],
      ['cover.txt', 'third'],
    ]
    const answer = await post(formOf(files, { name: 'Ålbum', replicas: '2' }))
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
    const item = await view(await post(formOf([['one.bin', bytes]])))
    expect((await view(await put('one.bin', bytes))).id).toBe(item.id)
  })

  test('takes a hundred files', async () => {
    const files = Array.from({ length: 100 }, (_, i): [string, string] => [`folder/${i}.txt`, `file ${i}`])
    const item = await view(await post(formOf(files)))
    expect(item).toMatchObject({ name: 'folder', fileCount: 100 })
    expect(item.files).toHaveLength(100)
    const listed = await node.ask(`/v1/media/${item.id}/files`)
    expect(await listed.json()).toEqual(item.files)
  })

  test('refuses a form without a file, an empty file among others, and fields after the files', async () => {
    expect(await problem(post(formOf([], { name: 'x' })))).toEqual([400, 'no_file'])
    expect(
      await problem(
        post(
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
    expect(await problem(post(late))).toEqual([400, 'invalid_input'])
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
    expect(await problem(post(formOf([[name, 'x']])))).toEqual([400, 'invalid_input'])
  })

  test('refuses a NUL in a file name, fields that are wrong, too long or too many', async () => {
    const part = 'Content-Disposition: form-data; name="file"; filename="a\0b"\r\n\r\nx\r\n'
    const body = `--B\r\n${part}--B--\r\n`
    const headers = { 'content-type': 'multipart/form-data; boundary=B' }
    expect(await problem(node.ask('/v1/media', { method: 'POST', body, headers }))).toEqual([400, 'invalid_input'])
    for (const fields of [{ name: '..' }, { name: 'x'.repeat(5000) }, { replicas: 'many' }, { replicas: '65' }]) {
      expect(await problem(post(formOf([['a', 'x']], fields as Record<string, string>)))).toEqual([
        400,
        'invalid_input',
      ])
    }
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, 'x']))
    expect(await problem(post(formOf([['a', 'x']], many)))).toEqual([413, 'too_many_parts'])
    expect(await problem(post(formOf([['a', 'x']], { constructor: 'x' })))).toEqual([400, 'malformed_multipart'])
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
    const before = await items()
    const answer = node.ask('/v1/media', { method: 'POST', body: `--B\r\n${text}`, headers })
    expect(await problem(answer)).toEqual([400, 'malformed_multipart'])
    expect(await items()).toBe(before)
  })

  test('refuses files that together are too large', async () => {
    const half = randomBytes(600_000)
    const answer = post(
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
    const before = await items()
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
    expect(await items()).toBe(before)
  })
})
