import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { LibtorrentBatch, metric, populate, type Population, Seeder, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const items = 400

let folder: string
let seeder: Seeder
let population: Population
let downloading: LibtorrentBatch | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-disk-'))
  const settings = { 'network.allowPrivate': true, 'swarm.trackers': [], 'swarm.maxActive': 50 }
  seeder = new Seeder('node', join(folder, 'node'), settings)
  population = await populate(seeder.folder, { items, size: 16_384, published: true })
  await seeder.start()
  await seeder.ready()
})

afterEach(async () => {
  await downloading?.end()
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
})

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

async function client(wanted: number[], within: number): Promise<LibtorrentBatch> {
  const target = join(folder, `client-${wanted[0]}`)
  return LibtorrentBatch.start(population, {
    peer: await seeder.peerAddress(),
    folder: target,
    wanted,
    parallel: 20,
    within,
  })
}

test.skipIf(lacks('libtorrent'))(
  'a client amid its downloads has them all once a disk that went away is back',
  async () => {
    onTestFailed(() => console.error(seeder.output()))
    const { pid } = seeder
    const [blobs, away] = [join(seeder.folder, 'blobs'), join(seeder.folder, 'away')]
    const batch = (downloading = await client(range(0, items - 10), 100_000))
    const finished = batch.finished()
    finished.catch(() => {})
    await until(() => batch.hundreds > 0, { within: 60_000, what: 'a hundred items are downloaded' })
    await rename(blobs, away)
    await until(async () => (await metric(seeder, 'storage_suspended')) === 1, {
      within: 15_000,
      what: 'the disk is missed',
    })
    await until(async () => (await metric(seeder, 'swarm_torrents')) === 0, {
      within: 15_000,
      what: 'nothing is seeded',
    })
    const health: unknown = await (await seeder.admin('GET', '/health')).json()
    expect(health).toMatchObject({ mediaFiles: items })
    expect(await metric(seeder, 'items_damaged')).toBe(0)
    await rename(away, blobs)
    await until(async () => (await metric(seeder, 'swarm_torrents')) === items, {
      within: 30_000,
      what: 'everything is seeded again',
    })
    await finished
    await (await client(range(items - 10, items), 30_000)).finished()
    expect(await metric(seeder, 'items_damaged')).toBe(0)
    expect(seeder.isRunning && seeder.pid).toBe(pid)
  },
)
