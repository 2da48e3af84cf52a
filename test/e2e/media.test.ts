import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { audioPreviewOf, stillOf } from '../../apps/seeder/src/media/excerpts.ts'
import type { Input } from '../../apps/seeder/src/media/input.ts'
import { PlainDoor } from '../../apps/seeder/src/media/plain-door.ts'
import { probe } from '../../apps/seeder/src/media/probe.ts'
import { type Media, Seeder, sha256, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

interface Described extends Media {
  describing: boolean
  media?: {
    title?: string
    artist?: string
    width?: number
    height?: number
    durationMs?: number
    codecs?: string[]
    tracks?: { path: string; title?: string; durationMs?: number }[]
  }
  previews: { kind: string; infoHash: string; size: number; type: string; url: string }[]
}

const needed = lacks('ffmpeg')

let folder: string
let seeder: Seeder
/** Answers whoever follows an address in a crafted file. */
let trap: Server
let trapped = 0
beforeAll(async () => {
  if (needed) return
  folder = await mkdtemp(join(tmpdir(), 'eldernode-media-'))
  trap = createServer((_, response) => {
    trapped++
    response.end()
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  seeder = new Seeder('publisher', join(folder, 'data'), { 'network.allowPrivate': true })
  await seeder.start()
  await seeder.ready()
})
afterAll(async () => {
  if (needed) return
  await seeder.stop()
  trap.close()
  await rm(folder, { recursive: true })
})

function ffmpeg(...args: string[]): void {
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  })
  if (status !== 0) throw new Error(`ffmpeg ended with ${status}: ${stderr}`)
}

const tone = (hertz: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${hertz}:duration=${seconds}`]

async function described(id: string): Promise<Described> {
  return await until(
    async () => {
      const item = await seeder.get<Described>(`/v1/media/${id}`)
      return item.describing ? undefined : item
    },
    { within: 60_000, what: 'the item is described' },
  )
}

async function publish(name: string, file = name): Promise<Described> {
  const { id } = await seeder.publish(name, new Uint8Array(await readFile(join(folder, file))))
  return await described(id)
}

async function saved(url: string, name: string): Promise<string> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  await writeFile(join(folder, name), new Uint8Array(await response.arrayBuffer()))
  return join(folder, name)
}

const plainly = (bytes: Buffer) => ({
  size: bytes.length,
  read: async (target: Uint8Array, length: number, position: number) =>
    bytes.copy(target, 0, position, position + length),
  close: async () => undefined,
})

test.skipIf(needed)('a film has a size, a length, codecs and a thumbnail', async () => {
  const film = ['-f', 'lavfi', '-i', 'testsrc=size=1280x720:rate=10:duration=5', ...tone(440, 5)]
  ffmpeg(...film, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-metadata', 'title=A film', 'film.mp4')
  const { media, previews } = await publish('film.mp4')
  expect(media).toMatchObject({ title: 'A film', width: 1280, height: 720, codecs: ['h264', 'aac'] })
  expect(Math.abs((media?.durationMs ?? 0) - 5000)).toBeLessThan(200)
  expect(previews).toMatchObject([{ kind: 'thumbnail', type: 'image/webp' }])
  const path = await saved(previews[0]?.url ?? '', 'thumbnail.webp')
  expect((await readFile(path)).subarray(8, 12).toString()).toBe('WEBP')
})

test.skipIf(needed)('a song has its tags, its embedded cover, and 30 s of sound to listen to', async () => {
  ffmpeg('-f', 'lavfi', '-i', 'testsrc=size=900x900:duration=0.1:rate=10', '-frames:v', '1', 'cover.png')
  ffmpeg(
    ...tone(440, 150),
    ...'-i cover.png -map 0:a -map 1:v -c:a flac -disposition:v attached_pic'.split(' '),
    ...'-metadata title=Song -metadata artist=Me song.flac'.split(' '),
  )
  const { media, previews } = await publish('song.flac')
  expect(media).toMatchObject({ title: 'Song', artist: 'Me', durationMs: 150_000, codecs: ['flac'] })
  expect(previews.map(({ kind, type }) => [kind, type])).toEqual([
    ['cover', 'image/webp'],
    ['audio', 'audio/mpeg'],
  ])
  const [cover, audio] = previews
  expect(cover?.size).toBeLessThanOrEqual(50_000)
  expect(audio?.size).toBeLessThanOrEqual(1_000_000)
  const found = await probe('ffprobe', await saved(audio?.url ?? '', 'preview.mp3'))
  expect(found).toMatchObject({ codecs: ['mp3'], hasAudio: true })
  expect(Math.abs((found.durationMs ?? 0) - 30_000)).toBeLessThan(1000)
  expect(found.title).toBeUndefined()
})

test.skipIf(needed)('an album has its tracks in order, and a cover', async () => {
  const form = new FormData()
  form.append('name', 'album')
  for (const [file, track, title] of [
    ['b.flac', 2, 'Second'],
    ['a.flac', 1, 'First'],
  ] as const) {
    const tags = ['-metadata', `title=${title}`, '-metadata', `track=${track}`, '-metadata', 'album=The album']
    ffmpeg(...tone(200 * track, track), '-c:a', 'flac', ...tags, file)
    form.append('file', new Blob([await readFile(join(folder, file))]), file)
  }
  ffmpeg('-f', 'lavfi', '-i', 'testsrc=size=500x500:duration=0.1:rate=10', '-frames:v', '1', 'folder.jpg')
  form.append('file', new Blob([await readFile(join(folder, 'folder.jpg'))]), 'folder.jpg')
  const response = await fetch(`${seeder.url}/v1/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${seeder.token}` },
    body: form,
  })
  const { id } = (await response.json()) as Media
  const { media, previews } = await described(id)
  expect(media).toEqual({
    title: 'The album',
    durationMs: 3000,
    codecs: ['flac'],
    tracks: [
      { path: 'a.flac', title: 'First', durationMs: 1000 },
      { path: 'b.flac', title: 'Second', durationMs: 2000 },
    ],
  })
  expect(previews.map(({ kind }) => kind)).toEqual(['cover', 'audio'])
})

test.skipIf(needed)('no crafted file makes the tools read another file, or ask an address', async () => {
  const door = new PlainDoor()
  onTestFinished(() => door.close())
  await copyFile(join(folder, 'film.mp4'), join(folder, 'secret.mp4')).catch(() =>
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=2', '-c:v', 'libx264', 'secret.mp4'),
  )
  const web = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/x.mp4`
  const secret = `file://${join(folder, 'secret.mp4')}`
  const crafted = {
    'hls.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${secret}\n#EXTINF:1,\n${web}\n#EXT-X-ENDLIST\n`,
    'key.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="${web}"\n#EXTINF:1,\n${secret}\n`,
    'concat.mp4': `ffconcat version 1.0\nfile ${join(folder, 'secret.mp4')}\nfile ${web}\n`,
    'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${web}</BaseURL><SegmentList duration="1"><SegmentURL media="${web}"/></SegmentList></Representation></AdaptationSet></Period></MPD>`,
    'sdp.mp4': `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${(trap.address() as AddressInfo).port} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    'images.mp4': `${join(folder, 'secret%d.png')}`,
  }
  for (const [name, text] of Object.entries(crafted)) {
    const path = join(folder, name)
    await writeFile(path, text)
    const opened: ((input: Input) => Promise<unknown>)[] = [
      (input: Input) => probe('ffprobe', input),
      (input: Input) => stillOf('ffmpeg', input, { codecs: [], hasAudio: false, hasVideo: true }),
      (input: Input) => audioPreviewOf('ffmpeg', input, { codecs: [], hasAudio: true, hasVideo: false }),
    ]
    for (const open of opened) {
      await expect(open(path), name).rejects.toThrow(/gave no result/)
      // As an encrypted file is read: the tool may speak HTTP then, and reaches nobody else.
      await expect(door.use(plainly(Buffer.from(text)), open), name).rejects.toThrow(/gave no result/)
    }
    // Nor does it get that far: its bytes are no recording.
    const { media, previews } = await publish(name)
    expect({ media, previews }).toEqual({ media: undefined, previews: [] })
  }
  expect(trapped).toBe(0)
})

test.skipIf(needed)('a path that looks like an option, an address or a pattern is a path', async () => {
  ffmpeg(...tone(440, 1), '-c:a', 'flac', 'plain.flac')
  for (const name of ['-version', 'http:127.0.0.1', 'concat:a|b', '%03d.flac', 'a b"\'$(id).flac']) {
    await copyFile(join(folder, 'plain.flac'), join(folder, name))
    expect(await probe('ffprobe', join(folder, name)), name).toMatchObject({ hasAudio: true, durationMs: 1000 })
  }
})

test.skipIf(needed)('what waits when the node is killed is described after its next start', async () => {
  ffmpeg(...tone(330, 120), '-c:a', 'flac', 'long.flac')
  const bytes = new Uint8Array(await readFile(join(folder, 'long.flac')))
  const { id } = await seeder.publish('long.flac', bytes)
  await seeder.kill()
  await seeder.start()
  await seeder.ready()
  const { media, previews } = await described(id)
  expect(media).toMatchObject({ durationMs: 120_000 })
  expect(previews.map(({ kind }) => kind)).toEqual(['audio'])
  expect(await seeder.content(id)).toEqual({ status: 200, sha256: sha256(bytes) })
})
