import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { IncomingFile } from '../ingest/index.ts'
import type { FetchRequest } from '../swarm/index.ts'
import type { Importer, Kind } from './port.ts'
import { egressOf, refusal, site } from './testing/web.ts'
import { createTorrentImporters } from './torrent-importer.ts'
import { createWebImporter } from './web-importer.ts'
import { createYtDlpImporter } from './yt-dlp-importer.ts'

const infoHash = 'a'.repeat(40)
let folder: string
/** What was taken of the bytes of a URL. */
let taken: number
const metainfo = { size: 1001, pieceLength: 16_384, private: false }
const allowance = { take: () => undefined, end: () => undefined }
const admit = vi.fn<(owner: string, size?: number) => typeof allowance>(() => allowance)

/** As much of a node as an import needs until it is refused; whoever gets further has got through. */
const services = {
  library: {
    get: () => undefined,
    isPaused: () => false,
    stage: async () => ({ folder, discard: async () => undefined }),
  },
  quotas: { admit },
  replication: { claim: async () => undefined },
  trackers: ['http://127.0.0.1:9'],
  swarm: {
    downloadLimit: () => 0,
    fetch: async ({ accept }: FetchRequest) => {
      accept?.(metainfo as never)
      throw new Error('it got through')
    },
  },
  ingest: {
    receive: async (files: AsyncIterable<IncomingFile>) => {
      for await (const { bytes } of files) for await (const chunk of bytes) taken += chunk.length
      throw new Error('it got through')
    },
  },
}

function importers(): Record<Kind, Importer> {
  const options = { services: services as never, egress: egressOf(), maxBytes: 1_000_000 }
  return {
    ...createTorrentImporters({ ...options, foreignTrackers: false }),
    url: createWebImporter(options),
    'yt-dlp': createYtDlpImporter({ ...options, program: join(folder, 'program'), python: undefined }),
  }
}

function run(kind: Kind, source: string, maxBytes?: number) {
  const wanted = { owner: '', access: 'public' as const, replicas: { min: 1, target: 1 } }
  return importers()[kind]({
    source,
    wanted: { ...wanted, ...(maxBytes !== undefined && { maxBytes }) },
    signal: AbortSignal.timeout(20_000),
    progress: () => undefined,
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-size-'))
  taken = 0
  admit.mockClear()
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const info = `d6:lengthi1001e4:name1:x12:piece lengthi16384e6:pieces20:${'p'.repeat(20)}e`
const torrent = Buffer.from(`d4:info${info}e`).toString('base64')
test.each([
  ['magnet', `magnet:?xt=urn:btih:${infoHash}`],
  ['torrent', torrent],
] as const)('a %s of more than was asked for is refused before a byte is fetched', async (kind, source) => {
  await expect(run(kind, source, 1000)).rejects.toEqual(refusal('import_refused'))
  expect(admit).not.toHaveBeenCalled()
  for (const enough of [1001, undefined]) await expect(run(kind, source, enough)).rejects.toThrow('it got through')
})

test('a URL of more than was asked for is refused, whether its server says how much it is or not', async () => {
  const { url } = await site((request, response) => {
    if (request.url === '/said') response.setHeader('content-length', 500_000)
    response.end(Buffer.alloc(500_000))
  })
  for (const path of ['/said', '/unsaid'])
    await expect(run('url', url + path, 1000)).rejects.toEqual(refusal('import_refused'))
  expect(taken).toBe(0)
  await expect(run('url', `${url}/unsaid`, 500_000)).rejects.toThrow('it got through')
  expect(taken).toBe(500_000)
})

test('of what yt-dlp finds no more is taken than was asked for', async () => {
  const program = join(folder, 'program')
  await writeFile(program, "#!/bin/sh\nprintf '%s\\n' 'eldernode-media {}' >&2\nprintf '%01001d' 0\n")
  await chmod(program, 0o700)
  const url = 'http://a.example/'
  await expect(run('yt-dlp', url, 1000)).rejects.toEqual(refusal('import_refused'))
  expect(taken).toBe(0)
  await rm(join(folder, 'bin'), { recursive: true })
  await expect(run('yt-dlp', url, 1001)).rejects.toThrow('it got through')
  expect(taken).toBe(1001)
})
