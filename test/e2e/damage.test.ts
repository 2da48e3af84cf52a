import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until, type Media, type Seeder } from '../harness/index.ts'

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 2 })
})

afterAll(() => network.close())

async function flipBit(seeder: Seeder, sha256: string): Promise<void> {
  const file = await open(join(seeder.folder, 'blobs', sha256.slice(0, 2), sha256), 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, 700_000)
  byte.writeUInt8(byte.readUInt8() ^ 1)
  await file.write(byte, 0, 1, 700_000)
  await file.close()
}

/** Asks until the right bytes are served again. @returns the wrong ones that were served meanwhile */
async function wrongUntilHealed(seeder: Seeder, { id, sha256 }: Media): Promise<string[]> {
  const wrong: string[] = []
  await until(
    async () => {
      const content = await seeder.content(id)
      if (content.status === 200 && content.sha256 !== sha256) wrong.push(content.sha256)
      return content.status === 200 && content.sha256 === sha256
    },
    { within: 90_000, what: `${seeder.name} serves the item again` },
  )
  return wrong
}

async function replicated(name: string, seed: number): Promise<Media> {
  const media = await network.first.publish(name, seededBytes(seed, 1_500_000))
  await until(() => network.at(1).holds(media.id), { within: 30_000, what: 'the replica holds it' })
  return media
}

test('a bit that flips while a replica is down is found at its start, and the item is fetched again', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const media = await replicated('down.bin', 1)
  await replica.stop()
  await flipBit(replica, media.sha256)
  await replica.start()
  expect(await wrongUntilHealed(replica, media)).toEqual([])
})

test('a bit that flips while a replica runs is found when the item is asked for', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const media = await replicated('running.bin', 2)
  await flipBit(replica, media.sha256)
  expect((await replica.content(media.id)).status).toBe(503)
  expect(await wrongUntilHealed(replica, media)).toEqual([])
})

test('a bit that flips at the publisher is healed from its replica', async () => {
  network.reportFailure()
  const media = await replicated('publisher.bin', 3)
  await network.first.stop()
  await flipBit(network.first, media.sha256)
  await network.first.start()
  expect(await wrongUntilHealed(network.first, media)).toEqual([])
})
