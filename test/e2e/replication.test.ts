import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aria2, Network, seededBytes, sha256, sha256OfFile, until, type Media, type Seeder } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const megabyte = 1_000_000

/** Waits until a node serves the very bytes of an item. */
async function arrived(seeder: Seeder, { id, sha256: expected }: Media, within = 30_000): Promise<void> {
  await until(() => seeder.holds(id), { within, what: `${seeder.name} holds ${id}` })
  expect(await seeder.content(id)).toEqual({ status: 200, sha256: expected })
}

describe('three seeders', () => {
  let network: Network

  beforeAll(async () => {
    network = await Network.start({ seeders: 3 })
  })

  afterAll(() => network.close())

  let media: Media

  test('all hold what the first published', async () => {
    network.reportFailure()
    const bytes = seededBytes(1, 100 * megabyte)
    media = await network.first.publish('film.bin', bytes)
    expect(media.sha256).toBe(sha256(bytes))
    await Promise.all(network.seeders.map((seeder) => arrived(seeder, media, 60_000)))
  })

  test.skipIf(lacks('aria2c'))('once the first is gone for good, the same magnet still works', async () => {
    network.reportFailure()
    await network.first.kill()
    const folder = join(network.folder, 'client')
    await aria2(media.magnet, folder)
    expect(await sha256OfFile(join(folder, 'film.bin'))).toBe(media.sha256)
  })
})

describe('nodes that come late', () => {
  let network: Network

  beforeAll(async () => {
    network = await Network.start({ seeders: 2 })
  })

  afterAll(() => network.close())

  test('a node that joins gets what it is wanted for', async () => {
    network.reportFailure()
    const items = []
    for (let i = 0; i < 10; i++) items.push(await network.first.publish(`${i}.bin`, seededBytes(10 + i, 50_000)))
    const third = await network.join()
    for (const media of items) await arrived(third, media)
  })

  test('a node that was away catches up, with new items and with retractions', async () => {
    network.reportFailure()
    const away = network.at(1)
    const before = await network.first.publish('before.bin', seededBytes(2, megabyte))
    await arrived(away, before)
    await away.kill()
    const missed = await network.first.publish('missed.bin', seededBytes(3, megabyte))
    await network.first.retract(before.id)
    await away.start()
    await arrived(away, missed)
    await until(async () => (await away.content(before.id)).status === 410, { within: 30_000, what: 'it is withdrawn' })
  })
})

describe('retraction', () => {
  let network: Network

  beforeAll(async () => {
    network = await Network.start({ seeders: 3, settings: { 'retention.purgeAfter': 3 } })
  })

  afterAll(() => network.close())

  let gone: Media

  test('replicas stop serving within 30 s, and the bytes go after the retention', async () => {
    network.reportFailure()
    gone = await network.first.publish('gone.bin', seededBytes(4, 5 * megabyte))
    await Promise.all(network.seeders.map((seeder) => arrived(seeder, gone)))
    await network.first.retract(gone.id)
    for (const seeder of network.seeders) {
      await until(async () => (await seeder.content(gone.id)).status >= 400, {
        within: 30_000,
        what: `${seeder.name} stops serving`,
      })
      await until(async () => (await seeder.get<{ mediaBytes: number }>('/health')).mediaBytes === 0, {
        within: 30_000,
        what: `${seeder.name} purges the bytes`,
      })
    }
  })

  test.skipIf(lacks('aria2c'))('a BitTorrent client gets nothing of it any more', async () => {
    network.reportFailure()
    await expect(aria2(gone.magnet, join(network.folder, 'client'), 8)).rejects.toThrow('aria2c ended')
  })

  test('publishing again brings the item back everywhere', async () => {
    network.reportFailure()
    const bytes = seededBytes(5, megabyte)
    const media = await network.first.publish('again.bin', bytes)
    await Promise.all(network.seeders.map((seeder) => arrived(seeder, media)))
    await network.first.retract(media.id)
    await until(async () => !(await network.at(2).holds(media.id)), { within: 30_000, what: 'it is withdrawn' })
    const again = await network.first.publish('again.bin', bytes)
    expect(again.id).toBe(media.id)
    await Promise.all(network.seeders.map((seeder) => arrived(seeder, again)))
  })
})
