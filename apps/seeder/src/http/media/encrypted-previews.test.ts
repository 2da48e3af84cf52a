import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from './media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, json, makeToken } from '../testing/tokens.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const lacksTools = spawnSync('ffmpeg', ['-version']).status !== 0

let node: TestNode
let folder: string
beforeAll(async () => {
  node = await startTestNode()
  folder = await mkdtemp(join(tmpdir(), 'eldernode-encrypted-previews-'))
})
afterAll(async () => {
  await node.stop()
  await rm(folder, { recursive: true })
})

type Detail = MediaView & { describing: boolean }
type Plain = NonNullable<MediaView['plain']>

const detail = async (id: string) => (await (await node.ask(`/v1/media/${id}`)).json()) as Detail
const status = async (path: string, token = '') => (await askAs(node, token)(path)).status

async function put(query: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const answer = await node.ask(`/v1/media?${query}`, { method: 'PUT', body })
  expect(answer.status).toBe(201)
  return ((await answer.json()) as MediaView).id
}

/** What its owner is told of an item once all is found out. */
async function plainOf(id: string): Promise<Plain> {
  return await vi.waitFor(
    async () => {
      const item = await detail(id)
      expect(item.describing).toBe(false)
      return item.plain as Plain
    },
    { timeout: 30_000, interval: 50 },
  )
}

async function newReader(): Promise<{ recipient: string; token: string }> {
  const recipient = await identityToRecipient(await generateX25519Identity())
  const { token } = await makeToken(node, 'reader', ['media:read-private'], { reader: recipient })
  return { recipient, token }
}

function holdsNowhere(...needles: (string | Buffer)[]): void {
  const files = readdirSync(node.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const needle of needles) expect(files.filter((path) => readFileSync(path).includes(needle))).toEqual([])
}

const noise = randomBytes(700 * 500 * 3)
const picture = async () =>
  new Uint8Array(
    await sharp(noise, { raw: { width: 700, height: 500, channels: 3 } })
      .jpeg()
      .toBuffer(),
  )

test('a private picture has its size and a thumbnail for its readers, and shows nobody else that it is one', async () => {
  const [reader, later] = [await newReader(), await newReader()]
  const bytes = await picture()
  const id = await put(`name=secret.jpg&access=private&readers=${reader.recipient}`, bytes)
  const { media, previews = [] } = await plainOf(id)
  expect(media).toEqual({ width: 700, height: 500, codecs: ['jpeg'] })
  expect(previews).toMatchObject([{ kind: 'thumbnail', type: 'image/webp' }])
  const [preview] = previews
  const content = `/v1/media/${preview?.infoHash}/content`
  const shown = await askAs(node, reader.token)(content)
  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/webp'])
  const small = Buffer.from(await shown.arrayBuffer())
  expect(await sharp(small).metadata()).toMatchObject({ format: 'webp', width: 480 })

  const { media: shownMedia, previews: shownPreviews } = await detail(id)
  expect([shownMedia, shownPreviews]).toEqual([undefined, []])
  holdsNowhere(small.subarray(20, 60), Buffer.from(bytes).subarray(1000, 1040), `thumbnail-${id}`)
  expect(await detail(preview?.infoHash ?? '')).toMatchObject({ access: 'private', encrypted: true })
  expect([await status(content), await status(content, later.token)]).toEqual([404, 404])

  // Readers of the item are those of its previews.
  await node.ask(`/v1/media/${id}/readers`, json('POST', { readers: [later.recipient] }))
  await node.ask(`/v1/media/${id}/readers/${reader.recipient}`, { method: 'DELETE' })
  expect([await status(content, later.token), await status(content, reader.token)]).toEqual([200, 404])

  // They go with it, and its successor has its own.
  const rotated = (await (await node.ask(`/v1/media/${id}/rotate`, { method: 'POST' })).json()) as MediaView
  expect(await status(content, later.token)).toBe(410)
  const { previews: anew = [] } = await plainOf(rotated.id)
  expect(anew).toMatchObject([{ kind: 'thumbnail' }])
  expect(anew[0]?.infoHash).not.toBe(preview?.infoHash)
  expect(await status(`/v1/media/${anew[0]?.infoHash}/content`, later.token)).toBe(200)
})

test('a manifest of an encrypted preview names neither its item nor what it is', async () => {
  const id = await put('name=open.jpg&encrypt=true', await picture())
  const { previews = [] } = await plainOf(id)
  const { media, previews: shown, name } = await detail(id)
  expect([media, shown, name]).toEqual([undefined, [], 'open.jpg.age'])
  const graph =
    readFileSync(join(node.data, 'graph.db'), 'latin1') + readFileSync(join(node.data, 'graph.db-wal'), 'latin1')
  const found = new RegExp(`"infoHash":"${previews[0]?.infoHash}"`).exec(graph)
  expect(found).not.toBeNull()
  expect(graph).not.toContain('previewOf')
  expect((await detail(previews[0]?.infoHash ?? '')).name).toMatch(/^[0-9a-f]{32}\.age$/)
  expect((await node.ask(`/v1/media/${previews[0]?.infoHash}`, { method: 'DELETE' })).status).toBe(200)
  expect(await plainOf(id)).toMatchObject({ media: { width: 700 } })
  expect((await plainOf(id)).previews).toBeUndefined()
})

test.skipIf(lacksTools)(
  'an encrypted film and song are looked into, and heard, without a byte of them on a disk',
  async () => {
    const made = (name: string, ...args: string[]) => {
      const { status: code, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, name], {
        cwd: folder,
      })
      expect([code, String(stderr)]).toEqual([0, ''])
      return readFile(join(folder, name))
    }
    const tone = ['-f', 'lavfi', '-i', 'sine=440:duration=40']
    const film = await made(
      'film.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=320x200:rate=5:duration=3',
      '-c:v',
      'mpeg4',
      '-metadata',
      'title=A secret film',
    )
    const song = await made('song.flac', ...tone, '-metadata', 'title=A secret song', '-metadata', 'artist=Me')
    const [filmId, songId] = [
      await put('name=film.mp4&access=private', new Uint8Array(film)),
      await put('name=song.flac&access=private', new Uint8Array(song)),
    ]
    expect(await plainOf(filmId)).toMatchObject({
      media: { title: 'A secret film', width: 320, height: 200, durationMs: 3000 },
      previews: [{ kind: 'thumbnail' }],
    })
    const { media, previews = [] } = await plainOf(songId)
    expect(media).toMatchObject({ title: 'A secret song', artist: 'Me', durationMs: 40_000, codecs: ['flac'] })
    expect(previews).toMatchObject([{ kind: 'audio', type: 'audio/mpeg' }])
    const heard = await node.ask(`/v1/media/${previews[0]?.infoHash}/content`)
    expect(heard.headers.get('content-type')).toBe('audio/mpeg')
    holdsNowhere('A secret', Buffer.from(film).subarray(2000, 2040), Buffer.from(song).subarray(9000, 9040))
  },
)
