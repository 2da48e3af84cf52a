import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as tus from 'tus-js-client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, makeToken } from '../testing/tokens.ts'
import { problem, sha256, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode({ http: { maxUploadBytes: 50_000_000, stallSeconds: 2 }, uploads: { most: 20 } })
})

afterAll(async () => {
  await node.stop()
})

const chunked = (bytes: Buffer, most: number) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most)
    })(),
  )

/** Uploads by tus-js-client. @returns the header with the item's address, and the upload's own */
function send(bytes: Buffer | Readable, options: Partial<tus.UploadOptions> = {}) {
  return new Promise<{ item: string | undefined; url: string }>((resolve, reject) => {
    const upload = new tus.Upload(bytes, {
      endpoint: `${node.url}/v1/uploads`,
      headers: { authorization: `Bearer ${node.token}` },
      metadata: { filename: 'song.bin', filetype: 'Audio/MPEG; x=y' },
      retryDelays: null,
      onError: reject,
      onSuccess: ({ lastResponse }) =>
        resolve({ item: lastResponse.getHeader('content-location'), url: upload.url ?? '' }),
      ...options,
    })
    upload.start()
  })
}

const tusHeaders = { 'tus-resumable': '1.0.0' }

const begin = (metadata: Record<string, string>, size: number, more: Record<string, string> = {}) =>
  node.ask('/v1/uploads', {
    method: 'POST',
    headers: {
      ...tusHeaders,
      'upload-length': `${size}`,
      'upload-metadata': Object.entries(metadata)
        .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
        .join(','),
      ...more,
    },
  })

const patch = (url: string, offset: number, body: Uint8Array<ArrayBuffer>) =>
  node.ask(url, {
    method: 'PATCH',
    headers: { ...tusHeaders, 'upload-offset': `${offset}`, 'content-type': 'application/offset+octet-stream' },
    body,
  })

const head = (url: string) => node.ask(url, { method: 'HEAD', headers: tusHeaders })
const located = async (answer: Response): Promise<string> => {
  expect(answer.status).toBe(201)
  return answer.headers.get('location') ?? ''
}
const itemOf = async (link: string | null | undefined) => {
  const answer = await fetch(link ?? '')
  expect(answer.status).toBe(200)
  return await view(answer)
}
const left = () => readdir(join(node.data, 'uploads'))

test('tus-js-client publishes an item, in chunks and in one go', async () => {
  const bytes = randomBytes(3_000_000)
  let inode: number | undefined
  const onAfterResponse = async () => {
    const [name] = await left()
    if (name !== undefined) inode ??= (await stat(join(node.data, 'uploads', name))).ino
  }
  const { item, url } = await send(bytes, { chunkSize: 1_000_000, onAfterResponse })
  const { files } = await itemOf(item)
  expect(await itemOf(item)).toMatchObject({ name: 'song.bin', size: bytes.length, sha256: sha256(bytes) })
  // The bytes stay where they arrived: no second copy of them is made.
  const hash = files[0]?.sha256 ?? ''
  expect((await stat(join(node.data, 'blobs', hash.slice(0, 2), hash))).ino).toBe(inode)
  const shown = (await (await node.ask(new URL(url).pathname)).json()) as { state: string; links: { item: string } }
  expect(shown).toMatchObject({ state: 'published', received: bytes.length, links: { item } })

  const whole = randomBytes(100_000)
  expect(await itemOf((await send(whole)).item)).toMatchObject({ sha256: sha256(whole) })
  const withCreation = randomBytes(100_000)
  expect(await itemOf((await send(withCreation, { uploadDataDuringCreation: true })).item)).toMatchObject({
    sha256: sha256(withCreation),
  })
  expect(await left()).toEqual([])
})

test('what Uppy sends of a file makes the item, and what it says of it', async () => {
  const bytes = randomBytes(1000)
  const metadata = {
    relativePath: 'null',
    name: 'Ä b.txt',
    type: '',
    filename: 'Ä b.txt',
    filetype: '',
    tags: 'one,two',
  }
  const { item } = await send(bytes, { metadata, uploadLengthDeferred: false })
  expect(await itemOf(item)).toMatchObject({ name: 'Ä b.txt', sha256: sha256(bytes) })
})

test('a type that browsers guess from the name is no declaration, `type` is one', async () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
    'base64',
  )
  for (const guess of [{ filetype: 'image/jpeg' }, { filetype: 'image/jpeg', type: 'image/jpeg' }]) {
    const { item } = await send(png, { metadata: { filename: 'a.jpg', ...guess } })
    expect(await itemOf(item)).toMatchObject({ files: [{ path: 'a.jpg', type: 'image/png' }] })
  }
  const url = await located(await begin({ filename: 'a.jpg', type: 'image/jpeg' }, png.length))
  expect(await problem(patch(url, 0, png))).toEqual([422, 'type_mismatch'])
})

test('a stream of unknown length is published once its end is known', async () => {
  const bytes = randomBytes(250_000)
  const { item } = await send(chunked(bytes, 7000), {
    uploadLengthDeferred: true,
    chunkSize: 100_000,
  })
  expect(await itemOf(item)).toMatchObject({ size: bytes.length, sha256: sha256(bytes) })
})

test('an upload goes on after the connection broke and after a restart', async () => {
  const bytes = randomBytes(5_000_000)
  const url = await located(await begin({ filename: 'broken.bin' }, bytes.length))
  await new Promise<void>((resolve) => {
    const headers = { ...tusHeaders, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
    const broken = request(new URL(url, node.url), {
      method: 'PATCH',
      headers: { ...headers, authorization: `Bearer ${node.token}`, 'content-length': bytes.length },
    })
    broken.on('error', () => resolve())
    broken.write(bytes.subarray(0, 2_000_000), () => broken.destroy())
  })
  const reached = await vi.waitFor(async () => {
    const offset = Number((await head(url)).headers.get('upload-offset'))
    expect(offset).toBeGreaterThan(0)
    return offset
  })
  await node.restart()
  expect(Number((await head(url)).headers.get('upload-offset'))).toBe(reached)
  const done = await patch(url, reached, bytes.subarray(reached))
  expect(done.status).toBe(204)
  const link = done.headers.get('content-location')?.replace(/^.*\/v1/, `${node.url}/v1`)
  expect(await itemOf(link)).toMatchObject({ sha256: sha256(bytes) })
})

test('an encrypted upload never lies on the disk as it is', async () => {
  const bytes = Buffer.alloc(300_000, 'plain text that must not be found ')
  const url = await located(await begin({ filename: 'secret.bin', encrypt: 'true' }, bytes.length))
  for (const [from, to] of [
    [0, 100_001],
    [100_001, 200_007],
  ])
    expect((await patch(url, from ?? 0, bytes.subarray(from, to))).status).toBe(204)
  const [name = ''] = await left()
  expect((await readFile(join(node.data, 'uploads', name))).includes('plain text')).toBe(false)
  await node.ask(url, { method: 'DELETE', headers: tusHeaders })
  expect(await left()).toEqual([])
})

test('a wrong SHA-256 is refused at the end, and ever after', async () => {
  const bytes = randomBytes(1000)
  const url = await located(await begin({ filename: 'a.bin', sha256: sha256(randomBytes(5)) }, bytes.length))
  expect(await problem(patch(url, 0, bytes))).toEqual([422, 'digest_mismatch'])
  expect((await head(url)).status).toBe(422)
  expect(await problem(patch(url, 1000, Buffer.alloc(0)))).toEqual([422, 'digest_mismatch'])
  const shown = (await (await node.ask(url)).json()) as object
  expect(shown).toMatchObject({ state: 'failed', error: { code: 'digest_mismatch' } })
  expect(await left()).toEqual([])
})

test('refuses what is not tus, unknown or too large, and says so as problems', async () => {
  const post = (headers: Record<string, string>) => problem(node.ask('/v1/uploads', { method: 'POST', headers }))
  expect(await post({})).toEqual([412, 'tus_version_missing'])
  expect(await post(tusHeaders)).toEqual([400, 'upload_malformed'])
  expect(await problem(begin({ filename: 'x' }, 50_000_001))).toEqual([413, 'item_too_large'])
  expect(await problem(begin({ filename: 'x', encryptt: 'true' }, 1))).toEqual([400, 'invalid_input'])
  expect(await problem(begin({ filename: '../x' }, 1))).toEqual([400, 'invalid_input'])
  expect(await problem(begin({}, 1))).toEqual([400, 'upload_malformed'])
  expect(await problem(begin({ filename: 'x' }, 0))).toEqual([422, 'empty_file'])
  expect(await problem(begin({ filename: 'x', access: 'private', encrypt: 'false' }, 1))).toEqual([
    422,
    'encryption_required',
  ])
  const gone = `/v1/uploads/${'a'.repeat(32)}`
  expect((await head(gone)).status).toBe(404)
  expect(await problem(patch(gone, 0, Buffer.from('x')))).toEqual([404, 'upload_not_found'])
  expect(await problem(node.ask('/v1/uploads/..%2fx'))).toEqual([400, 'invalid_input'])
  const url = await located(await begin({ filename: 'x' }, 10))
  expect(await problem(patch(url, 5, Buffer.from('x')))).toEqual([409, 'upload_offset_mismatch'])
  expect(await problem(patch(url, 0, Buffer.alloc(11)))).toEqual([413, 'item_too_large'])
  const stranger = await fetch(new URL(url, node.url), { method: 'HEAD', headers: tusHeaders })
  expect(stranger.status).toBe(401)
  const checked = await node.ask(url, {
    method: 'PATCH',
    headers: { ...tusHeaders, 'upload-offset': '0', 'upload-checksum': 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=' },
    body: new Uint8Array(5),
  })
  expect(await problem(checked)).toEqual([400, 'upload_checksum_unsupported'])
  const ended = await node.ask(url, { method: 'DELETE', headers: tusHeaders })
  expect([ended.status, (await head(url)).status]).toEqual([204, 404])
})

test('says what it can do, to clients and to browsers', async () => {
  const plain = await fetch(`${node.url}/v1/uploads`, { method: 'OPTIONS' })
  expect(plain.status).toBe(204)
  expect(plain.headers.get('tus-version')).toBe('1.0.0')
  expect(plain.headers.get('tus-extension')).toBe(
    'creation,creation-with-upload,creation-defer-length,termination,expiration',
  )
  expect(plain.headers.get('tus-max-size')).toBe('50000000')
  expect(plain.headers.get('access-control-expose-headers')).toMatch(/Content-Location.*Upload-Offset/)
  const headers = { origin: 'https://a.example', 'access-control-request-method': 'PATCH' }
  const preflight = await fetch(`${node.url}/v1/uploads/x`, { method: 'OPTIONS', headers })
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH')
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/upload-offset/i)
})

test('keeps as many uploads as it may', async () => {
  const urls: string[] = []
  let answer = await begin({ filename: 'x' }, 10)
  for (; answer.status === 201 && urls.length < 20; answer = await begin({ filename: 'x' }, 10))
    urls.push(answer.headers.get('location') ?? '')
  expect(await problem(answer)).toEqual([429, 'too_many_uploads'])
  for (const url of urls) await node.ask(url, { method: 'DELETE', headers: tusHeaders })
})

test('one owner does not take the places of others, and its uploads end with its token', async () => {
  const { id, token } = await makeToken(node, 'greedy', ['media:write'])
  const { token: other } = await makeToken(node, 'modest', ['media:write'])
  const beginAs = (as: string) =>
    askAs(node, as)('/v1/uploads', {
      method: 'POST',
      headers: { ...tusHeaders, 'upload-length': '1000', 'upload-metadata': 'filename eA==' },
    })
  const before = (await left()).length
  const urls: string[] = []
  let answer = await beginAs(token)
  for (; answer.status === 201 && urls.length < 20; answer = await beginAs(token))
    urls.push(answer.headers.get('location') ?? '')
  expect(await problem(answer)).toEqual([429, 'too_many_uploads'])
  const others = [await beginAs(other), await begin({ filename: 'x' }, 10)]
  expect(others.map(({ status }) => status)).toEqual([201, 201])
  expect(await left()).toHaveLength(before + urls.length + 2)
  expect((await node.ask(`/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204)
  expect(await left()).toHaveLength(before + 2)
  expect((await head(urls[0] ?? '')).status).toBe(404)
  for (const { headers } of others)
    await node.ask(headers.get('location') ?? '', { method: 'DELETE', headers: tusHeaders })
})

test('an upload whose bytes are gone is not there any more', async () => {
  const url = await located(await begin({ filename: 'lost.bin' }, 1000))
  await patch(url, 0, randomBytes(500))
  const [name = ''] = await left()
  await truncate(join(node.data, 'uploads', name), 100)
  expect(await problem(patch(url, 500, randomBytes(500)))).toEqual([404, 'upload_not_found'])
  expect((await head(url)).status).toBe(404)
})
