import { randomBytes } from 'node:crypto'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const patience = { timeout: 20_000, interval: 20 }
let node: TestNode
const bytes = randomBytes(3_000_000)
let one: MediaView
let many: MediaView

beforeAll(async () => {
  node = await startTestNode({ http: { stallSeconds: 1 } })
  one = await publish('one é.bin', bytes)
  const form = new FormData()
  form.append('name', 'Ålbum')
  for (const path of ['side a/01 夏?#.txt', 'b.html']) form.append('file', new Blob([`<html>${path}`]), path)
  many = (await (await node.ask('/v1/media', { method: 'POST', body: form })).json()) as MediaView
})

afterAll(async () => {
  await node.stop()
})

const publish = async (name: string, body: Uint8Array<ArrayBuffer> | string) =>
  (await (await node.ask(`/v1/media?name=${encodeURIComponent(name)}`, { method: 'PUT', body })).json()) as MediaView
const get = (headers: Record<string, string> = {}, method = 'GET') =>
  node.ask(`/v1/media/${one.id}/content`, { method, headers })
const body = async (answer: Response) => Buffer.from(await answer.arrayBuffer())
const problem = async (path: string, init?: RequestInit) => {
  const answer = await node.ask(path, init)
  return [answer.status, ((await answer.json()) as Problem).code]
}
const openBlobs = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(join(node.data, 'blobs'))
    } catch {
      return false
    }
  }).length

describe('the bytes', () => {
  test('come whole, with what caches, players and browsers ask for', async () => {
    const answer = await get()
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-disposition': `inline; filename="one ?.bin"; filename*=UTF-8''one%20%C3%A9.bin`,
      'content-length': '3000000',
      'content-type': 'application/octet-stream',
      'last-modified': new Date(one.createdAt).toUTCString(),
      'x-content-type-options': 'nosniff',
      etag: `"${one.sha256}"`,
    })
    expect(answer.headers.get('content-security-policy')).toBeNull()
    expect((await body(answer)).equals(bytes)).toBe(true)
    await vi.waitFor(() => expect(openBlobs()).toBe(0), patience)
  })

  test('HEAD tells the same without them', async () => {
    const answer = await get({}, 'HEAD')
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '3000000'])
    expect(answer.headers.get('etag')).toBe(`"${one.sha256}"`)
    expect(await body(answer)).toHaveLength(0)
    const part = await get({ range: 'bytes=5-9' }, 'HEAD')
    expect([part.status, part.headers.get('content-range')]).toEqual([200, null])
  })

  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=2999990-', 2_999_990, 3_000_000],
    ['bytes=2999990-9999999', 2_999_990, 3_000_000],
    ['bytes=-5', 2_999_995, 3_000_000],
    ['bytes=-9999999', 0, 3_000_000],
    ['bytes=100000-2200000', 100_000, 2_200_001],
    ['Bytes= 1-2', 1, 3],
  ])('%s are bytes %i to %i', async (range, start, end) => {
    const answer = await get({ range })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/3000000`)
    expect((await body(answer)).equals(bytes.subarray(start, end))).toBe(true)
  })

  test.each(['bytes=3000000-', 'bytes=9999999999999999-', 'bytes=-0'])('%s lie outside', async (range) => {
    const answer = await get({ range })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */3000000'])
    expect(answer.headers.get('cache-control')).toBeNull()
    expect(((await answer.json()) as Problem).code).toBe('range_not_satisfiable')
  })

  test.each([
    'bytes=5-1',
    'bytes=x-',
    'bytes=-',
    'lines=1-2',
    'bytes',
    '0-5',
    'bytes=1-99999999999999999999',
    `bytes=${Array.from({ length: 65 }, (_, n) => `${n * 1000}-${n * 1000 + 1}`).join(',')}`,
    'bytes=1-2,5-1',
    'bytes=,',
  ])('the range "%s" is ignored, as RFC 9110 allows', async (range) => {
    const answer = await get({ range })
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '3000000'])
    expect(await body(answer)).toHaveLength(3_000_000)
  })

  test('several ranges come as parts, in the order they are asked for, those that overlap as one', async () => {
    const answer = await get({ range: 'bytes=2000000-2999999, 10-19,-5,9999999-,15-29' })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([206, null])
    const [, boundary = ''] =
      /^multipart\/byteranges; boundary=(\w+)$/.exec(answer.headers.get('content-type') ?? '') ?? []
    const whole = await body(answer)
    expect(whole).toHaveLength(Number(answer.headers.get('content-length')))
    const part = (start: number, end: number) => [
      `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${start}-${end - 1}/3000000\r\n\r\n`,
      bytes.subarray(start, end),
    ]
    const expected = [...part(2_000_000, 3_000_000), '\r\n', ...part(10, 30), `\r\n--${boundary}--\r\n`]
    expect(whole.equals(Buffer.concat(expected.map((piece) => Buffer.from(piece as string))))).toBe(true)
  })

  test('several ranges that become one are answered as one', async () => {
    const answer = await get({ range: 'bytes=0-9,10-19,5-15' })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([206, 'bytes 0-19/3000000'])
    expect((await body(answer)).equals(bytes.subarray(0, 20))).toBe(true)
  })

  test('a browser that may change a file first says which one it means', async () => {
    const etag = `"${one.sha256}"`
    const status = async (headers: Record<string, string>) => (await get(headers, 'HEAD')).status
    const [modified, before] = [new Date(one.createdAt).toUTCString(), new Date(one.createdAt - 5000).toUTCString()]
    for (const tags of [etag, `"other", ${etag}`, '*']) expect(await status({ 'if-match': tags })).toBe(200)
    for (const tags of ['"other"', `W/${etag}`, '']) expect(await status({ 'if-match': tags })).toBe(412)
    expect(await status({ 'if-unmodified-since': modified })).toBe(200)
    const failed = await get({ 'if-unmodified-since': before })
    expect([failed.status, ((await failed.json()) as Problem).code]).toEqual([412, 'precondition_failed'])
    expect(failed.headers.get('etag')).toBeNull()
  })

  test('are not sent again to who has them', async () => {
    const etag = `"${one.sha256}"`
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await get({ 'if-none-match': tag })
      expect([answer.status, answer.headers.get('etag')]).toEqual([304, etag])
      expect(await body(answer)).toHaveLength(0)
    }
    const since = new Date(one.createdAt).toUTCString()
    expect((await get({ 'if-modified-since': since })).status).toBe(304)
    expect((await get({ 'if-modified-since': new Date(0).toUTCString() }, 'HEAD')).status).toBe(200)
    expect((await get({ 'if-modified-since': 'yesterday' }, 'HEAD')).status).toBe(200)
    expect((await get({ 'if-none-match': '"other"', 'if-modified-since': since }, 'HEAD')).status).toBe(200)
  })

  test('a range holds only for the file that it was asked of', async () => {
    const range = 'bytes=0-1'
    const status = async (condition: string) => (await get({ range, 'if-range': condition })).status
    expect(await status(`"${one.sha256}"`)).toBe(206)
    expect(await status(new Date(one.createdAt).toUTCString())).toBe(206)
    expect(await status(`W/"${one.sha256}"`)).toBe(200)
    expect(await status('"other"')).toBe(200)
    expect(await status(new Date(0).toUTCString())).toBe(200)
    expect(await status('yesterday')).toBe(200)
  })

  test('are found by SHA-256 and by an infohash in capitals', async () => {
    for (const id of [one.sha256, one.sha256.toUpperCase(), one.id.toUpperCase()]) {
      const answer = await node.ask(`/v1/media/${id}/content`, { headers: { range: 'bytes=0-9' } })
      expect((await body(answer)).equals(bytes.subarray(0, 10))).toBe(true)
    }
  })

  test('a browser may ask from any page, for ranges too', async () => {
    const headers = {
      origin: 'https://page.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'range',
    }
    const answer = await get(headers, 'OPTIONS')
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-allow-headers')).toMatch(/Range/)
    expect((await get()).headers.get('access-control-expose-headers')).toMatch(/Content-Range/)
  })
})

describe('an item of several files', () => {
  test('has its bytes under each path', async () => {
    for (const { path } of many.files) {
      const plain = await node.ask(
        `/v1/media/${many.id}/content/${encodeURI(path).replace('?', '%3F').replace('#', '%23')}`,
      )
      expect(await plain.text()).toBe(`<html>${path}`)
      const escaped = await node.ask(`/v1/media/${many.id}/content/${encodeURIComponent(path)}?download=1`)
      expect(escaped.headers.get('content-disposition')).toMatch(/^attachment; filename/)
      expect(await escaped.text()).toBe(`<html>${path}`)
    }
  })

  test('says that it needs a path, and which ones there are not', async () => {
    const content = `/v1/media/${many.id}/content`
    expect(await problem(content)).toEqual([400, 'path_required'])
    expect(await problem(`${content}/`)).toEqual([404, 'file_not_found'])
    expect(await problem(`${content}/nothing`)).toEqual([404, 'file_not_found'])
    expect(await problem(`${content}/..%2f..%2fcatalog.db`)).toEqual([404, 'file_not_found'])
    expect(await problem(`${content}/b.html%00`)).toEqual([404, 'file_not_found'])
    expect(await problem(`${content}/${'x'.repeat(5000)}`)).toEqual([400, 'invalid_input'])
    expect(await problem(`/v1/media/${'x'.repeat(5000)}`)).toEqual([414, 'url_too_long'])
    expect(await problem(`${content}/%ff`)).toEqual([400, 'invalid_url'])
  })

  test('does not run as a page of this origin', async () => {
    const answer = await node.ask(`/v1/media/${many.id}/content/b.html`)
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*; sandbox$/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('the web seed answers what BitTorrent clients append to its base', async () => {
    const album = encodeURIComponent('Ålbum')
    for (const { path } of many.files) {
      const answer = await node.ask(
        `/v1/media/${many.id}/ws/${album}/${path.split('/').map(encodeURIComponent).join('/')}`,
      )
      expect(await answer.text()).toBe(`<html>${path}`)
    }
    const single = await node.ask(`/v1/media/${one.id}/ws/${encodeURIComponent('one é.bin')}`, {
      headers: { range: 'bytes=0-99' },
    })
    expect((await body(single)).equals(bytes.subarray(0, 100))).toBe(true)
    // WebTorrent asks for the base itself, with a header that browsers ask permission for.
    expect(await body(await node.ask(`/v1/media/${one.id}/ws/`))).toEqual(bytes)
    const preflight = await node.ask(`/v1/media/${one.id}/ws/`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://page.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'cache-control,range',
      },
    })
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/Cache-Control.*Range/)
    expect(await problem(`/v1/media/${many.id}/ws/`)).toEqual([404, 'file_not_found'])
    expect(await problem(`/v1/media/${many.id}/ws/${album}`)).toEqual([404, 'file_not_found'])
    expect(await problem(`/v1/media/${many.id}/ws/other/b.html`)).toEqual([404, 'file_not_found'])
  })
})

test.each([
  ['a'.repeat(40), 404, 'media_not_found'],
  ['a'.repeat(64), 404, 'media_not_found'],
  ['a'.repeat(39), 400, 'invalid_input'],
  ['..%2f', 400, 'invalid_input'],
  ['constructor', 400, 'invalid_input'],
])('the unknown id %s is answered by %i on every route', async (id, status, code) => {
  for (const rest of ['', '/files', '/content', '/content/x', '/ws/x', '/torrent']) {
    expect(await problem(`/v1/media/${id}${rest}`)).toEqual([status, code])
  }
})

test('clients that leave or stop reading are cut off, and their files closed', async () => {
  const ids = [
    await publish('leaving.bin', randomBytes(32_000_000)),
    await publish('asleep.bin', randomBytes(32_000_000)),
  ]
  const ask = (n: number) => {
    const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
    socket.write(`GET /v1/media/${ids[n]?.id}/content HTTP/1.1\r\nHost: x\r\n\r\n`)
    socket.pause()
    socket.on('error', () => undefined)
    return socket
  }
  const leaving = ask(0)
  const sleeping = ask(1)
  await vi.waitFor(() => expect(openBlobs()).toBe(2), patience)
  leaving.destroy()
  await vi.waitFor(() => expect(openBlobs()).toBe(1), patience)
  await vi.waitFor(() => expect(openBlobs()).toBe(0), patience)
  sleeping.destroy()
})

test('requests piled up on one connection cut it off instead of holding files open', async () => {
  const { id } = await publish('piled.bin', new Uint8Array(8_000_000))
  const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.pause()
  socket.write(`GET /v1/media/${id}/content HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(1000))
  socket.resume()
  await closed
  expect(openBlobs()).toBeLessThanOrEqual(17)
  await vi.waitFor(() => expect(openBlobs()).toBe(0), patience)
})
