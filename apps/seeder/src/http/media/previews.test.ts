import { randomBytes } from 'node:crypto'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from './media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { formOf, problem, Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

const picture = async (background: string) =>
  new Uint8Array(
    await sharp({ create: { width: 900, height: 600, channels: 3, background } })
      .jpeg()
      .toBuffer(),
  )

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await node.ask(path, init)).json()) as T
}

/** The item once all is said of it. */
async function described(id: string): Promise<MediaView> {
  return await vi.waitFor(
    async () => {
      const item = await json<MediaView & { describing: boolean }>(`/v1/media/${id}`)
      expect(item.describing).toBe(false)
      return item
    },
    { timeout: 30_000, interval: 50 },
  )
}

const status = async (path: string, init?: RequestInit) => (await node.ask(path, init)).status

test('a picture gets its size and a thumbnail, an item of its own that no list shows', async () => {
  const { id, previews: none } = await view(await new Uploads(node).put('red.jpg', await picture('red')))
  expect(none).toEqual([])
  const { media, previews } = await described(id)
  expect(media).toEqual({ width: 900, height: 600, codecs: ['jpeg'] })
  expect(previews).toMatchObject([{ kind: 'thumbnail', type: 'image/webp' }])
  const [preview] = previews
  const answer = await fetch(preview?.url ?? '')
  expect(answer.headers.get('content-type')).toBe('image/webp')
  expect(await sharp(await answer.arrayBuffer()).metadata()).toMatchObject({ format: 'webp', width: 480, height: 320 })
  expect(await json(`/v1/media/${preview?.infoHash}`)).toMatchObject({ previewOf: id, access: 'public', previews: [] })
  const { items } = await json<{ items: MediaView[] }>('/v1/media')
  expect(items.map((item) => item.id)).toContain(id)
  expect(items.map((item) => item.id)).not.toContain(preview?.infoHash)
})

test('previews are as visible as their item', async () => {
  const form = formOf([['b.jpg', await picture('blue')]], { access: 'unlisted' })
  const { id } = await view(await new Uploads(node).post(form))
  const { previews } = await described(id)
  expect(await json(`/v1/media/${previews[0]?.infoHash}`)).toMatchObject({ access: 'unlisted' })
})

test('what is encrypted is told of nowhere', async () => {
  const form = formOf([['secret.jpg', await picture('lime')]], { access: 'private', encrypt: 'true' })
  const { id } = await view(await new Uploads(node).post(form))
  const { previews, media } = await described(id)
  expect(previews).toEqual([])
  expect(media?.width).toBeUndefined()
})

test('a preview that is deleted alone is not named any more', async () => {
  const { id } = await view(await new Uploads(node).put('named.jpg', await picture('gold')))
  const [preview] = (await described(id)).previews
  expect(await status(`/v1/media/${preview?.infoHash}`, { method: 'DELETE' })).toBe(200)
  expect(await json(`/v1/media/${id}`)).toMatchObject({ previews: [], media: { width: 900 } })
  expect(await status(`/v1/media/${preview?.infoHash}/content`)).toBe(410)
})

test('a broken picture is published all the same', async () => {
  const whole = await picture('teal')
  const { id } = await view(await new Uploads(node).put('broken.jpg', whole.slice(0, 300)))
  expect(await described(id)).toMatchObject({ previews: [] })
  expect(await status(`/v1/media/${id}/content`)).toBe(200)
})

test('tags and what the publisher says of an album are shown', async () => {
  const fields = { tags: 'one,two', title: 'T', artist: 'A', tracks: '[{"path":"b.bin"},{"path":"a.bin"}]' }
  const form = formOf(
    [
      ['a.bin', randomBytes(10)],
      ['b.bin', randomBytes(10)],
    ],
    { name: 'album', ...fields },
  )
  const item = await view(await new Uploads(node).post(form))
  expect(item).toMatchObject({
    tags: ['one', 'two'],
    media: { title: 'T', artist: 'A', tracks: [{ path: 'b.bin' }, { path: 'a.bin' }] },
  })
})

test('a retraction takes previews along, once more changes nothing, and a restoration brings all back', async () => {
  const { id, sha256 } = await view(await new Uploads(node).put('gone.jpg', await picture('navy')))
  const { previews } = await described(id)
  const [preview] = previews
  const first = await json<{ purgeAfter: number }>(`/v1/media/${id}`, { method: 'DELETE' })
  expect(first).toMatchObject({ id, state: 'retracted' })
  for (const path of [`/v1/media/${id}/content`, `/v1/media/${preview?.infoHash}/content`])
    expect(await status(path)).toBe(410)
  for (const again of [id, sha256]) expect(await json(`/v1/media/${again}`, { method: 'DELETE' })).toEqual(first)
  for (let round = 0; round < 2; round++) {
    const restored = await json<MediaView>(`/v1/media/${id}/restore`, { method: 'POST' })
    expect(restored).toMatchObject({ id, media: { width: 900 }, previews: [{ infoHash: preview?.infoHash }] })
  }
  for (const path of [`/v1/media/${id}/content`, `/v1/media/${preview?.infoHash}/content`])
    expect(await status(path)).toBe(200)
  await node.restart()
  expect(await json(`/v1/media/${id}`)).toMatchObject({ id, previews: [{ infoHash: preview?.infoHash }] })
})

test('what was purged cannot be restored, and what is unknown neither', async () => {
  const other = await startTestNode({ retention: { purgeAfter: 0 } })
  const { id } = await view(await new Uploads(other).put('a.bin', randomBytes(100)))
  await other.ask(`/v1/media/${id}`, { method: 'DELETE' })
  await vi.waitFor(async () => expect((await other.ask(`/v1/media/${id}`)).status).toBe(404), 20_000)
  expect(await problem(other.ask(`/v1/media/${id}/restore`, { method: 'POST' }))).toEqual([404, 'media_not_found'])
  const unknown = '0'.repeat(40)
  expect(await problem(other.ask(`/v1/media/${unknown}/restore`, { method: 'POST' }))).toEqual([404, 'media_not_found'])
  expect(await problem(fetch(`${other.url}/v1/media/${id}/restore`, { method: 'POST' }))).toEqual([401, 'unauthorized'])
  await other.stop()
})

test('an item expires, and with it its previews; restored, it stays', async () => {
  const form = formOf([['brief.jpg', await picture('olive')]], { expiresAt: String(Date.now() + 3000) })
  const { id, expiresAt } = await view(await new Uploads(node).post(form))
  expect(expiresAt).toBeGreaterThan(0)
  await vi.waitFor(async () => expect(await status(`/v1/media/${id}`)).toBe(410), { timeout: 30_000, interval: 100 })
  const restored = await json<MediaView>(`/v1/media/${id}/restore`, { method: 'POST' })
  expect(restored.expiresAt).toBeUndefined()
  const { previews } = await described(id)
  for (const { infoHash } of previews) expect(await status(`/v1/media/${infoHash}/content`)).toBe(200)
})

test('published again after it expired, an item is what is said of it now, and is described again', async () => {
  const bytes = await picture('coral')
  const post = async (fields: Record<string, string>) =>
    await view(await new Uploads(node).post(formOf([['again.jpg', bytes]], fields)))
  const { id } = await post({ tags: 'old', expiresAt: String(Date.now() + 1000) })
  await vi.waitFor(async () => expect(await status(`/v1/media/${id}`)).toBe(410), { timeout: 30_000, interval: 50 })
  const later = Date.now() + 3_600_000
  const again = await post({ tags: 'new', expiresAt: String(later), access: 'unlisted' })
  expect(again).toMatchObject({ id, tags: ['new'], expiresAt: later, access: 'unlisted' })
  const { previews, media } = await described(id)
  expect(media).toMatchObject({ width: 900 })
  expect(previews).toHaveLength(1)
  const preview = await json(`/v1/media/${previews[0]?.infoHash}`)
  expect(preview).toMatchObject({ access: 'unlisted', expiresAt: later, previewOf: id })
})

test('verify finds every byte right, or says what is wrong', async () => {
  const { id, files } = await view(await new Uploads(node).put('sound.bin', randomBytes(300_000)))
  const verify = () => json(`/v1/media/${id}/verify`, { method: 'POST' })
  expect(await verify()).toMatchObject({ id, ok: true, condition: 'held', bytes: 300_000 })
  const hash = files[0]?.sha256 ?? ''
  await writeFile(join(node.data, 'blobs', hash.slice(0, 2), hash), randomBytes(300_000))
  expect(await verify()).toMatchObject({ ok: false, condition: 'damaged' })
  expect(await problem(fetch(`${node.url}/v1/media/${id}/verify`, { method: 'POST' }))).toEqual([401, 'unauthorized'])
})

test('without tools nothing fails, and /ready says what is missing', async () => {
  const bare = await startTestNode({ media: { previews: true, ffprobe: '', ffmpeg: '/nowhere/ffmpeg' } })
  const ready = (await (await bare.ask('/ready')).json()) as { ready: boolean; checks: Record<string, unknown> }
  expect(ready.checks['media']).toEqual({
    ok: true,
    note: expect.stringMatching(/ffprobe is not installed: .*; ffmpeg is not installed: /) as string,
  })
  expect(ready.ready).toBe(true)
  const wav = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0', 'latin1'), randomBytes(2000)])
  const { id, files } = await view(await new Uploads(bare).put('a.wav', new Uint8Array(wav)))
  expect(files[0]?.type).toBe('audio/wav')
  await vi.waitFor(async () => {
    const item = (await (await bare.ask(`/v1/media/${id}`)).json()) as { describing: boolean }
    expect(item).toMatchObject({ describing: false, previews: [] })
  }, 20_000)
  await bare.stop()
})

test('what is found out after a retraction does not undo it; a restoration knows it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-previews-'))
  const [ffprobe, gate, done] = ['ffprobe', 'gate', 'done'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const answer = '{"streams":[{"index":0,"codec_type":"audio","codec_name":"flac"}],"format":{"duration":"7"}}'
  const script = `#!/bin/sh\nwhile [ ! -e ${gate} ]; do sleep 0.02; done\n: > ${done}\necho '${answer}'\n`
  await writeFile(ffprobe, script, { mode: 0o755 })
  const slow = await startTestNode({ media: { previews: true, ffprobe, ffmpeg: '' } })
  const flac = new Uint8Array(Buffer.concat([Buffer.from('fLaC'), randomBytes(1000)]))
  const { id, files } = await view(await new Uploads(slow).put('a.flac', flac))
  expect(files[0]?.type).toBe('audio/flac')
  expect((await slow.ask(`/v1/media/${id}`, { method: 'DELETE' })).status).toBe(200)
  await writeFile(gate, '')
  await vi.waitFor(() => access(done), 20_000)
  for (let look = 0; look < 20; look++) {
    expect((await slow.ask(`/v1/media/${id}`)).status).toBe(410)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  expect((await slow.ask(`/v1/media/${id}/restore`, { method: 'POST' })).status).toBe(200)
  await vi.waitFor(async () => {
    expect(await (await slow.ask(`/v1/media/${id}`)).json()).toMatchObject({ media: { durationMs: 7000 } })
  }, 20_000)
  await slow.stop()
  await rm(folder, { recursive: true })
})

test('SVG runs nothing and asks nobody; it is shown as it is, without a thumbnail', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.domain)</script></svg>'
  const { id, files } = await view(await new Uploads(node).put('a.svg', svg))
  expect(files[0]?.type).toBe('image/svg+xml')
  const answer = await node.ask(`/v1/media/${id}/content`)
  expect(answer.headers.get('content-type')).toBe('image/svg+xml')
  expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none';.* sandbox$/)
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  expect(await answer.text()).toBe(svg)
  expect(await described(id)).toMatchObject({ previews: [] })
})

test('a picture that is a page as well is a picture only, whatever its name, and cannot be declared as a page', async () => {
  const polyglot = `GIF89a/*<html>*/=1;alert(1)//${'x'.repeat(100)}`
  const { id, files } = await view(await new Uploads(node).put('page.html', polyglot))
  expect(files[0]?.type).toBe('image/gif')
  const answer = await node.ask(`/v1/media/${id}/content`)
  expect(answer.headers.get('content-type')).toBe('image/gif')
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  const declared = node.ask('/v1/media?name=other.html&type=text%2Fhtml', { method: 'PUT', body: polyglot })
  expect(await problem(declared)).toEqual([422, 'type_mismatch'])
})
