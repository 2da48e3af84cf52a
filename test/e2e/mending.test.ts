import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Leecher, Network, seededBytes, sha256OfFile, until, type Media, type Seeder } from '../harness/index.ts'
import { blobOf, flip, rot } from '../harness/rot.ts'
import { lacks } from '../harness/tools.ts'

const size = 3_000_000
let network: Network
let folder: string
const leechers: Leecher[] = []

beforeAll(async () => {
  network = await Network.start({ seeders: 2 })
})

afterAll(() => network.close())

beforeEach(async () => {
  network.reportFailure()
  folder = await mkdtemp(join(tmpdir(), 'eldernode-mending-'))
})

afterEach(async () => {
  for (const leecher of leechers.splice(0)) await leecher.end()
  await rm(folder, { recursive: true })
})

async function replicated(name: string, seed: number): Promise<Media> {
  const media = await network.first.publish(name, seededBytes(seed, size))
  await until(() => network.at(1).holds(media.id), { within: 30_000, what: 'the replica holds it' })
  return media
}

async function leech(from: Seeder, media: Media): Promise<Leecher> {
  const leecher = new Leecher(media.id, await mkdtemp(join(folder, 'target-')), await from.peerAddress())
  leechers.push(leecher)
  return leecher
}

async function counted(seeder: Seeder, name: string): Promise<number> {
  const response = await seeder.admin('GET', '/metrics')
  return Number(new RegExp(`^eldernode_${name} (\\d+)`, 'm').exec(await response.text())?.[1])
}

/** Its bytes on disk count: content is given while it arrives from others, too. */
async function mended(seeder: Seeder, media: Media): Promise<void> {
  const blob = blobOf(seeder, media)
  await until(async () => existsSync(blob) && (await sha256OfFile(blob)) === media.sha256, {
    within: 60_000,
    what: `${seeder.name} has the bytes again`,
  })
  await until(async () => (await seeder.content(media.id)).status === 200, {
    within: 10_000,
    what: `${seeder.name} gives them`,
  })
  expect(await seeder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
}

describe.skipIf(lacks('libtorrent'))('with libtorrent as the leecher', () => {
  test('a rotten piece is never sent, is remembered, and is mended in place once somebody has it', async () => {
    const [publisher, replica] = [network.first, network.at(1)]
    const media = await replicated('rotten.bin', 41)
    const { ino } = await stat(blobOf(replica, media))
    await replica.stop()
    await rot(replica, media, 1_000_000)
    await publisher.stop()
    await replica.start()
    const pieces = size - media.pieceLength
    await (await leech(replica, media)).reaches(pieces)
    await until(async () => (await counted(replica, 'pieces_quarantined_total')) === 1, {
      within: 10_000,
      what: 'the rotten piece is counted',
    })
    expect((await replica.content(media.id)).status).toBe(503)
    // Remembered: after a restart it is not read again to be known.
    await replica.stop()
    await replica.start()
    const second = await leech(replica, media)
    await second.reaches(pieces)
    expect(await counted(replica, 'pieces_quarantined_total')).toBe(0)
    expect([second.bytes, second.ended]).toEqual([pieces, false])
    await publisher.start()
    await mended(replica, media)
    await second.finished()
    expect(await counted(replica, 'pieces_mended_total')).toBe(1)
    expect((await stat(blobOf(replica, media))).ino).toBe(ino)
  })

  test('two copies that rot in different places mend each other', async () => {
    const media = await replicated('both.bin', 42)
    const nodes = [network.first, network.at(1)]
    for (const [n, node] of nodes.entries()) {
      await node.stop()
      await rot(node, media, 500_000 + n * 1_500_000)
    }
    for (const node of nodes) await node.start()
    for (const node of nodes) {
      const leecher = await leech(node, media)
      await leecher.finished()
      expect(leecher.bytes).toBe(size)
    }
    for (const node of nodes) await mended(node, media)
  })

  test('a copy that is found wrong as a whole and one with a rotten piece make each other right', async () => {
    const media = await replicated('halves.bin', 43)
    const [publisher, replica] = [network.first, network.at(1)]
    await publisher.stop()
    await replica.stop()
    await flip(publisher, media, 100_000)
    await rot(replica, media, 2_900_000)
    await replica.start()
    await (await leech(replica, media)).reaches(size - media.pieceLength)
    await publisher.start()
    // The time of the change tells of it as soon as somebody asks.
    expect((await publisher.content(media.id)).status).toBe(503)
    for (const node of [publisher, replica]) await mended(node, media)
  })
})
