import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Egress } from '@eldernode/seeder/egress'
import { createSwarm } from '@eldernode/seeder/swarm'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Population, Program, sha256, sha256OfFile, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

let folder: string
let source: Program | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-encrypted-'))
})

afterEach(async () => {
  await source?.end('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

test.skipIf(lacks('libtorrent')).each(['rc4', 'plaintext'])(
  'fetches from a libtorrent that takes encrypted connections only: %s',
  async (encryption) => {
    const population = new Population({ items: 1, size: 16_384 })
    const { infoHash, metainfo } = population.metainfo(0)
    const torrent = join(folder, 'item.torrent')
    await writeFile(torrent, metainfo)
    await writeFile(join(folder, population.name(0)), population.bytes(0))
    const script = join(import.meta.dirname, 'libtorrent-seeder.py')
    source = new Program({
      name: 'libtorrent',
      command: '/usr/bin/python3',
      args: [script, torrent, folder, encryption],
    })
    const { lines } = source
    const port = await until(() => Number(lines[0] ?? 0) || undefined, { within: 20_000, what: 'libtorrent listens' })
    const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
    const swarm = createSwarm({
      port: 0,
      host: '127.0.0.1',
      trackers: [],
      shelf: { open: async () => undefined },
      egress,
      logger: pino({ level: 'silent' }),
    })
    await swarm.start()
    try {
      await swarm.fetch({
        infoHash,
        size: population.size,
        pieceLength: 16_384,
        peers: [`127.0.0.1:${port}`],
        webSeeds: [],
        filePath: () => join(folder, 'fetched'),
        signal: AbortSignal.timeout(60_000),
      })
    } finally {
      await swarm.close()
      await egress.close()
    }
    expect(await sha256OfFile(join(folder, 'fetched'))).toBe(sha256(population.bytes(0)))
  },
)
