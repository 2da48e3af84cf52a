import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import {
  backToLevel,
  footprint,
  handshake,
  LibtorrentBatch,
  populate,
  type Population,
  RawPeer,
  Seeder,
  until,
} from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const connections = 5_000
/** Each calls from an address of its own, with others of its kind. */
const callers = 50
/** 2 KB of each that stays alive, or 25 KB of each with the allocators, are too much. */
const allowed = { liveBytes: 10 * 2 ** 20, residentBytes: 128 * 2 ** 20, descriptors: 20 }

let folder: string
let seeder: Seeder
let population: Population
let port: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-half-open-'))
  const settings = { 'network.allowPrivate': true, 'swarm.trackers': [] }
  seeder = new Seeder('node', join(folder, 'node'), settings, { inspected: true })
  population = await populate(seeder.folder, { items: 100, size: 16_384, published: true })
  await seeder.start()
  await seeder.ready()
  port = Number((await seeder.peerAddress()).split(':')[1])
})

afterEach(async () => {
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
})

async function serves(...wanted: number[]): Promise<void> {
  const peer = `127.0.0.1:${port}`
  const target = join(folder, `client-${wanted.join('-')}`)
  const batch = await LibtorrentBatch.start(population, { peer, folder: target, wanted, parallel: 3, within: 45_000 })
  await batch.finished()
}

/** Nothing, the beginning of a handshake, or that of an encrypted one. */
const beginnings = (infoHash: string): Buffer[] => [
  Buffer.alloc(0),
  handshake(infoHash).subarray(0, 40),
  Buffer.alloc(50, 0x5a),
]

test.skipIf(lacks('libtorrent'))(
  `${connections} strangers who connect and say no more keep nobody out, and are shown the door`,
  async () => {
    onTestFailed(() => console.error(seeder.output()))
    const { pid } = seeder
    await serves(0)
    const before = await footprint(seeder)
    const said = beginnings(population.infoHash(1))
    const strangers: RawPeer[] = []
    try {
      const open = async (index: number): Promise<void> => {
        const stranger = await RawPeer.open(port, `127.0.0.${2 + (index % callers)}`)
        strangers.push(stranger)
        await stranger.send(said[index % said.length] ?? Buffer.alloc(0))
      }
      const serving = [serves(1, 2, 3)]
      for (let from = 0; from < connections; from += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, index) => open(from + index)))
        if (from === connections / 2) serving.push(serves(4, 5, 6))
      }
      serving.push(serves(7, 8, 9))
      await Promise.all(serving)
      await until(() => strangers.every(({ closed }) => closed), { within: 40_000, what: 'all strangers are out' })
    } finally {
      for (const stranger of strangers) stranger.end()
    }
    await backToLevel(seeder, before, allowed)
    await serves(10)
    expect(seeder.isRunning && seeder.pid).toBe(pid)
    expect(await seeder.get('/health')).toMatchObject({ status: 'healthy' })
  },
)
