import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import createTorrent from 'create-torrent'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Egress } from '../egress/index.ts'
import { WebTorrentSwarm } from './index.ts'
import type { FetchRequest, SwarmOptions, WholeTorrent } from './index.ts'

let folder: string
const closers: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-'))
})

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
  await rm(folder, { recursive: true, force: true })
})

async function swarm(options: Partial<SwarmOptions> = {}): Promise<WebTorrentSwarm> {
  const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  const made = new WebTorrentSwarm({
    port: 0,
    host: '127.0.0.1',
    trackers: [],
    egress,
    logger: pino({ level: 'silent' }),
    ...options,
  })
  await made.start()
  closers.push(async () => {
    await made.close()
    await egress.close()
  })
  return made
}

interface Made extends WholeTorrent {
  pieceLength: number
  size: number
  contents: Buffer[]
}

const build = promisify(
  createTorrent as (input: unknown, options: unknown, done: (e: Error | null, t: Buffer) => void) => void,
)

/** Files on disk under meaningless names, and the torrent that describes them. */
async function torrent(name: string, files: [path: string, size: number][], pieceLength = 16_384): Promise<Made> {
  const contents = files.map(([, size]) => randomBytes(size))
  const inputs = files.map(([path], index) => Object.assign(Buffer.from(contents[index] ?? []), { name: path }))
  const metainfo = new Uint8Array(await build(inputs, { name, pieceLength, announceList: [] }))
  const raw = Buffer.from(metainfo)
  const at = raw.indexOf('4:info') + 6
  const info = raw.subarray(at, raw.length - 1)
  const stored = await Promise.all(
    contents.map(async (content, index) => {
      const path = join(folder, `${name.length}-${randomBytes(4).toString('hex')}-${index}`)
      await writeFile(path, content)
      return { path, size: content.length }
    }),
  )
  return {
    infoHash: createHash('sha1').update(info).digest('hex'),
    metainfo,
    files: stored,
    pieceLength,
    size: contents.reduce((sum, content) => sum + content.length, 0),
    contents,
  }
}

async function request(made: Made, more: Partial<FetchRequest>): Promise<FetchRequest> {
  const target = join(folder, `target-${randomBytes(4).toString('hex')}`)
  await mkdir(target)
  return {
    infoHash: made.infoHash,
    size: made.size,
    pieceLength: made.pieceLength,
    peers: [],
    webSeeds: [],
    filePath: (index) => join(target, String(index)),
    signal: AbortSignal.timeout(20_000),
    ...more,
  }
}

test('a second node fetches by infohash alone what the first seeds', async () => {
  const made = await torrent('one.bin', [['one.bin', 1_000_000]])
  const seeder = await swarm()
  await seeder.seed(made)
  const leecher = await swarm()
  const asked = await request(made, { peers: [`127.0.0.1:${seeder.port}`] })
  const fetched = await leecher.fetch(asked)
  expect(fetched.name).toBe('one.bin')
  expect(fetched.files).toEqual([{ path: 'one.bin', size: 1_000_000 }])
  expect(await readFile(asked.filePath(0))).toEqual(made.contents[0])
  expect(createHash('sha1').update(fetched.metainfo).digest('hex')).toHaveLength(40)
})
