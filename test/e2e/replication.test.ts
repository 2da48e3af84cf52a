import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aria2, Network, seededBytes, sha256, sha256OfFile, until, type Media, type Seeder } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const megabyte = 1_000_000

interface Health {
  mediaBytes: number
}

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
    network = await Network.start({ seeders: 2, settings: { 'retention.purgeAfter': 1 } })
  })

  afterAll(() => network.close())

  test('a node that joins gets what it is wanted for', async () => {
    network.reportFailure()
    const items = []
    for (let i = 0; i < 10; i++) items.push(await network.first.publish(`${i}.bin`, seededBytes(10 + i, 50_000)))
    const third = await network.join()
    for (const media of items) await arrived(third, media)
  })

  test('a node that was away catches up with what is new, and brings nothing back that was retracted or denied', async () => {
    network.reportFailure()
    const away = network.at(1)
    const before = await network.first.publish('before.bin', seededBytes(2, megabyte))
    const denied = await network.first.publish('denied.bin', seededBytes(6, megabyte))
    for (const media of [before, denied]) await arrived(away, media)
    await away.kill()
    const missed = await network.first.publish('missed.bin', seededBytes(3, megabyte))
    // Strangers are told of so few bytes roughly.
    const stored = async () => ((await (await network.first.admin('GET', '/health')).json()) as Health).mediaBytes
    const kept = (await stored()) - 2 * megabyte
    await network.first.retract(before.id)
    const denial = await network.first.admin('POST', '/v1/denials', JSON.stringify({ infoHash: denied.id }))
    expect(denial.status).toBe(201)
    await until(async () => (await stored()) === kept, { within: 30_000, what: 'their bytes are gone' })
    await away.start()
    await arrived(away, missed)
    for (const { id } of [before, denied]) {
      await until(async () => (await away.content(id)).status >= 400, { within: 30_000, what: 'it is withdrawn' })
      expect((await network.first.content(id)).status).toBeGreaterThanOrEqual(400)
    }
    expect(await stored()).toBe(kept)
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
