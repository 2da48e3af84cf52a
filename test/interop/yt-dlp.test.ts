import { randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { Seeder, sha256, until } from '../harness/index.ts'
import type { Settings } from '../harness/seeder.ts'
import { lacks } from '../harness/tools.ts'

/** The beginning of an MP4 file, so that it passes for one. */
const video = Buffer.concat([
  Buffer.from('00000018667479706d703432000000006d70343269736f6d', 'hex'),
  randomBytes(400_000),
])

let folder: string
const ending: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-yt-dlp-'))
})
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
  await rm(folder, { recursive: true, force: true })
})

async function site(listener: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ending.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** A page with a film on it, as the generic way of yt-dlp finds it. */
const page: RequestListener = (request, response) => {
  if (request.url === '/film.mp4') return void response.setHeader('content-type', 'video/mp4').end(video)
  response.setHeader('content-type', 'text/html')
  response.end('<html><head><title>A film: part/1</title></head><body><video src="/film.mp4"></video></body></html>')
}

async function node(settings: Settings, within: readonly string[] = []): Promise<Seeder> {
  const seeder = new Seeder(
    'node',
    join(folder, 'node'),
    {
      'network.allowPrivate': true,
      'swarm.trackers': [],
      ...settings,
    },
    { within },
  )
  ending.push(() => seeder.stop())
  onTestFailed(() => console.error(seeder.output()))
  await seeder.start()
  await seeder.ready()
  return seeder
}

interface Import {
  state: string
  bytes: number
  infoHash?: string
  error?: { code: string; detail: string }
}

async function imported(seeder: Seeder, url: string): Promise<Import> {
  const headers = { authorization: `Bearer ${seeder.token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ url, through: 'yt-dlp' })
  const asked = await fetch(`${seeder.url}/v1/imports`, { method: 'POST', headers, body })
  expect(asked.status).toBe(202)
  const { id } = (await asked.json()) as { id: string }
  return await until(
    async () => {
      const view = (await (await fetch(`${seeder.url}/v1/imports/${id}`, { headers })).json()) as Import
      return ['queued', 'running'].includes(view.state) ? undefined : view
    },
    { within: 90_000, what: 'the import is over' },
  )
}

const leftovers = async (seeder: Seeder): Promise<string[]> => await readdir(join(seeder.folder, 'incoming'))

const withYtDlp = { 'imports.ytDlp': true }

test.skipIf(lacks('yt-dlp'))('the film of a page is published, and nothing else is left of it', async () => {
  const { url } = await site(page)
  const seeder = await node({ ...withYtDlp, 'imports.allowPrivate': true })
  const done = await imported(seeder, `${url}/watch?a=b&--exec=touch%20x`)
  expect(done).toMatchObject({ state: 'done', bytes: video.length })
  const item = (await (await fetch(`${seeder.url}/v1/media/${done.infoHash}`)).json()) as {
    name: string
    sha256: string
  }
  expect(item).toMatchObject({
    name: expect.stringMatching(/^A film: part_1.*\.mp4$/) as unknown,
    sha256: sha256(video),
  })
  expect(await leftovers(seeder)).toEqual([])
})

test.skipIf(lacks('yt-dlp'))('it reaches nothing in the network of the operator, whatever it is given', async () => {
  const { url, asked } = await site(page)
  const seeder = await node(withYtDlp)
  for (const host of ['127.0.0.1', 'localhost', '0x7f.1', '[::ffff:127.0.0.1]']) {
    const failed = await imported(seeder, `http://${host}:${new URL(url).port}/film.mp4`)
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'import_failed' } })
  }
  expect(asked).toEqual([])
})

test.skipIf(lacks('yt-dlp'))('a page without media, and one without end, are imports that failed', async () => {
  const { url } = await site((request, response) => {
    if (request.url === '/nothing') return void response.end('<html>nothing here</html>')
    response.setHeader('content-type', 'text/html')
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(2 ** 20, 32)));
    }
    response.on('drain', more).write('<html><head><title>no end</title></head><body>')
    more()
  })
  const seeder = await node({ ...withYtDlp, 'imports.allowPrivate': true })
  for (const path of ['/nothing', '/endless']) {
    const failed = await imported(seeder, url + path)
    expect(failed).toMatchObject({
      state: 'failed',
      error: { code: 'import_failed', detail: expect.stringContaining('ERROR') as unknown },
    })
  }
})

test.skipIf(lacks('yt-dlp'))('it runs no other program, which would go wherever a playlist says', async () => {
  const programs = join(folder, 'programs')
  await mkdir(programs)
  for (const name of ['ffmpeg', 'ffprobe', 'avconv', 'rtmpdump', 'mplayer', 'mpv', 'phantomjs', 'aria2c', 'curl']) {
    await writeFile(join(programs, name), `#!/bin/sh\n: > ${join(folder, 'ran')}\n`, { mode: 0o700 })
  }
  const { url, asked } = await site((request, response) => {
    if (request.url !== '/film.m3u8') return void response.end('<html><video src="/film.m3u8"></video></html>')
    // What it cannot decrypt by itself it would leave to ffmpeg.
    const key = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain,x",KEYFORMAT="com.example"'
    const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:9', key, '#EXTINF:9,', 'tcp://127.0.0.1:1', '#EXT-X-ENDLIST', '']
    response.setHeader('content-type', 'application/vnd.apple.mpegurl').end(lines.join('\n'))
  })
  const path = `PATH=${programs}:${process.env['PATH'] ?? ''}`
  const seeder = await node({ ...withYtDlp, 'imports.allowPrivate': true }, ['env', path])
  expect(await imported(seeder, url)).toMatchObject({ state: 'failed', error: { code: 'import_failed' } })
  expect(asked).toContain('/film.m3u8')
  expect(await readdir(folder)).not.toContain('ran')
})
