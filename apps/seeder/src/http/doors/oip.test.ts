import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

const like = (pattern: RegExp): unknown => expect.stringMatching(pattern)

let node: TestNode
let site: Server
let ann: string
let bob: string
beforeAll(async () => {
  node = await startTestNode({ imports: { allowPrivate: true } })
  site = createServer((_request, response) => response.end('bytes of a web site')).listen(0, '127.0.0.1')
  ;[ann, bob] = [await token('ann'), await token('bob')]
})
afterAll(async () => {
  site.close()
  await node.stop()
})

async function token(owner: string): Promise<string> {
  const response = await post('/v1/tokens', { owner, scopes: ['media:write', 'media:read-private'] })
  return ((await response.json()) as { token: string }).token
}

const post = (path: string, body: object, headers = {}) =>
  node.ask(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })
const as = (who: string) => ({ authorization: `Bearer ${who}` })

async function upload(text: string, fields: Record<string, string>, who = ann): Promise<Record<string, unknown>> {
  const form = new FormData()
  form.append('file', new Blob([text]), 'song.txt')
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  const response = await node.ask('/api/media/upload', { method: 'POST', body: form, headers: as(who) })
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, unknown>
}

test('a public upload has a did, a magnet and addresses, and everybody reads it', async () => {
  const media = await upload('for all', { access_level: 'public', name: 'named.txt', 'publishTo[arweave]': 'false' })
  const mediaId = createHash('sha256').update('for all').digest('hex')
  expect(media).toMatchObject({
    success: true,
    mediaId,
    did: `did:gun:media:${mediaId}`,
    infoHash: like(/^[0-9a-f]{40}$/),
    magnetURI: like(/^magnet:\?xt=urn:btih:/),
    size: 7,
    originalName: 'song.txt',
    encrypted: false,
    access_level: 'public',
    owner: 'ann',
    transport: {
      bittorrent: { infoHash: media['infoHash'], trackers: [] },
      http: [like(/\/content/)],
    },
    addresses: { gunAddress: `did:gun:media:${mediaId}`, bittorrentAddress: media['magnetURI'] },
  })
  const bytes = await fetch(`${node.url}/api/media/${mediaId}`, { headers: { range: 'bytes=4-' } })
  expect([bytes.status, await bytes.text()]).toEqual([206, 'all'])
  const info = (await (await fetch(`${node.url}/api/media/${mediaId}/info`)).json()) as Record<string, unknown>
  expect(info).toMatchObject({ media: { mediaId, size: 7 }, seeding: { active: true, copies: 1 } })
  const manifest = await fetch(`${node.url}/media/manifest?id=${mediaId}`)
  expect(await manifest.json()).toMatchObject({ infoHash: media['infoHash'], state: 'live' })
})

test('an upload that says nothing is private: 401 for strangers, 403 for others, the bytes for its owner', async () => {
  const { mediaId, encrypted, access_level: level } = await upload('mine alone', {})
  expect([encrypted, level]).toEqual([true, 'private'])
  const path = `/api/media/${String(mediaId)}`
  for (const rest of ['', '/info']) {
    expect((await fetch(node.url + path + rest)).status).toBe(401)
    expect((await node.ask(path + rest, { headers: as(bob) })).status).toBe(403)
    expect((await node.ask(path + rest, { headers: as(ann) })).status).toBe(200)
  }
  expect(await (await node.ask(path, { headers: as(ann) })).text()).toBe('mine alone')
  expect((await fetch(`${node.url}/api/media/${'0'.repeat(64)}`)).status).toBe(404)
})

test('to its owner an encrypted item is what was encrypted, to strangers what is stored', async () => {
  const text = 'size, type and name are secrets'
  const { mediaId, ...sent } = await upload(text, { name: 'diary.txt' })
  const known = { size: text.length, mime: 'text/plain', originalName: 'diary.txt' }
  expect(sent).toMatchObject({ size: text.length, mime: 'text/plain' })
  const info = async (who: string) =>
    ((await (await node.ask(`/api/media/${String(mediaId)}/info`, { headers: as(who) })).json()) as { media: object })
      .media
  expect(await info(ann)).toMatchObject(known)
  expect(await info(node.token)).toMatchObject(known)
  // Encrypted for all to see: a stranger sees what is stored.
  const open = await upload(text, { name: 'diary.txt', access_level: 'public', encrypt: 'true' })
  const stored = (await (await fetch(`${node.url}/api/media/${String(open['mediaId'])}/info`)).json()) as {
    media: { size: number }
  }
  expect(stored.media).toMatchObject({ mime: 'application/vnd.age', originalName: like(/\.age$/) })
  expect(stored.media.size).toBeGreaterThan(text.length)
})

test('JSON brings bytes in base64, or a URL to fetch', async () => {
  const data = Buffer.from('inline').toString('base64')
  const inline = await post('/api/media/upload', { source: 'base64', data, name: 'a.txt', access_level: 'public' })
  expect(await inline.json()).toMatchObject({ size: 6, originalName: 'a.txt' })
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/page.txt`
  const fetched = await post('/api/media/upload', { source: 'url', data: url, access_level: 'public' })
  expect(await fetched.json()).toMatchObject({ success: true, size: 19, access_level: 'public' })
})

test.each([
  [{ source: 'base64', data: '%%%' }],
  [{ source: 'disk', data: '/etc/passwd' }],
  [{ source: 'url', data: 'file:///etc/passwd' }],
  [{ source: 'base64', data: 'YQ==', access_level: 'secret' }],
  [{ source: 'base64', data: 'YQ==', name: '../../etc/passwd' }],
  [{ source: 'base64', data: 'YQ==', encrypt: false }],
])('refuses %j', async (body) => {
  const response = await post('/api/media/upload', body)
  expect([400, 422]).toContain(response.status)
})

test('copies are counted and asked for', async () => {
  const { mediaId } = await upload('counted', { access_level: 'public' })
  expect(await (await post('/media/presence', { mediaId, peerId: 'x' })).json()).toMatchObject({ copies: 1, mediaId })
  const asked = await post(`/api/media/${String(mediaId)}/replicate`, {})
  expect(await asked.json()).toMatchObject({ success: true, message: 'This node holds a copy.' })
})
