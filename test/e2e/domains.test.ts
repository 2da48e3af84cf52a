import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until, type Media, type Seeder } from '../harness/index.ts'
import { standing } from '../chaos/network/standing.ts'

let network: Network
/** Shares its zone or its operator with every other node but one. */
let publisher: Seeder
let apart: Seeder

const items = 6

beforeAll(async () => {
  network = await Network.start({ seeders: 0, tracker: false, settings: { 'replicas.min': 1, 'replicas.target': 2 } })
  publisher = await network.join({ 'node.zone': 'one', 'node.operator': 'a' })
  await network.join({ 'node.zone': 'one', 'node.operator': 'b' })
  await network.join({ 'node.zone': 'two', 'node.operator': 'a' })
  apart = await network.join({ 'node.zone': 'two', 'node.operator': 'b' })
  await network.acquainted()
})

afterAll(() => network.close())

test('copies are made in another zone and with another operator while there is one, and an item says how many losses it survives', async () => {
  network.reportFailure()
  const published: Media[] = []
  for (let n = 0; n < items; n++) published.push(await publisher.publish(`${n}.bin`, seededBytes(n, 20_000)))
  // One copy more than there are zones.
  const common = await publisher.publish('common.bin', seededBytes(items, 20_000), 3)
  for (const seeder of network.seeders) {
    await until(
      async () => {
        const seen = await standing(seeder)
        const stands = (id: string, copies: number): boolean => {
          const { level, survives, wanted = [] } = seen.get(id) ?? {}
          const [first, second] = wanted
          const isSpread = first === publisher.id && second === apart.id && wanted.length === copies
          return isSpread && level === 'at-target' && survives === 1
        }
        return published.every(({ id }) => stands(id, 2)) && stands(common.id, 3)
      },
      { within: 60_000, what: `${seeder.name} sees every item in both zones, with both operators` },
    )
  }
  for (const { id, sha256 } of [...published, common]) {
    expect(await apart.content(id)).toEqual({ status: 200, sha256 })
  }
})
