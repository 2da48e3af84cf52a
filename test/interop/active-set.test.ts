import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import {
  backToLevel,
  type Footprint,
  footprint,
  LibtorrentBatch,
  metric,
  populate,
  Seeder,
  until,
} from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const [items, wanted, maxActive] = [1_200, 1_000, 50]
/** What 800 items more may add. A torrent that is never let go of takes at least 49 KB, so many of them 39 MB. */
const flat = { liveBytes: 4 * 2 ** 20, residentBytes: 32 * 2 ** 20, descriptors: maxActive }

let folder: string
let seeder: Seeder

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-active-'))
  const settings = {
    'network.allowPrivate': true,
    'swarm.trackers': [],
    'swarm.maxActive': maxActive,
    'swarm.idleAfter': 1,
  }
  seeder = new Seeder('node', join(folder, 'node'), settings, { inspected: true })
})

afterEach(async () => {
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
})

test.skipIf(lacks('libtorrent')).each([
  { what: 'fewer', parallel: 45 },
  { what: 'more', parallel: 200 },
])(
  `libtorrent has each of ${wanted} items, $what at a time than may be awake, and memory stays flat`,
  async ({ parallel }) => {
    onTestFailed(() => console.error(seeder.output()))
    const population = await populate(seeder.folder, { items, size: 16_384, published: true })
    await seeder.start()
    await seeder.ready()
    const idle = await footprint(seeder)
    const batch = await LibtorrentBatch.start(population, {
      peer: await seeder.peerAddress(),
      folder: join(folder, 'client'),
      wanted: Array.from({ length: wanted }, (_, index) => index),
      parallel,
      within: 90_000,
    })
    let [most, level] = [0, undefined as Footprint | undefined]
    await batch.finished(async () => {
      most = Math.max(most, await metric(seeder, 'swarm_awake'))
      if (batch.hundreds >= 2) level ??= await footprint(seeder)
    })
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(maxActive)
    await until(async () => (await metric(seeder, 'swarm_connections')) === 0, { within: 30_000, what: 'all left' })
    if (level === undefined) throw new Error('libtorrent was never seen at 200 items')
    await backToLevel(seeder, level, flat)
    await backToLevel(seeder, idle, { ...flat, liveBytes: Infinity, residentBytes: Infinity })
    expect(await metric(seeder, 'swarm_torrents')).toBe(items)
  },
)
