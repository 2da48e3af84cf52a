import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until, type Media, type Seeder } from '../harness/index.ts'
import { standing } from '../chaos/network/standing.ts'

/** All nodes live through minutes in seconds: a start and the grace time are a minute each. */
const factor = 8
const quick = [
  'env',
  `NODE_OPTIONS=--import=${fileURLToPath(new URL('../harness/quick-clock.ts', import.meta.url))}`,
  `QUICK_CLOCK=${Date.now()}x${factor}`,
]
const settings = { 'repair.grace': 60, 'replicas.min': 1, 'replicas.target': 2 }

let network: Network
let origin: Seeder
let others: Seeder[]
let published: Media[]

beforeAll(async () => {
  network = await Network.start({ seeders: 0, tracker: false })
  for (let n = 0; n < 4; n++) await network.joinAt(join(network.folder, `quick-${n}`), settings, { within: quick })
  origin = network.at(1)
  others = network.seeders.filter((seeder) => seeder !== origin)
  await network.acquainted()
})

afterAll(() => network.close())

const provenAt = async (node: Seeder, { id }: Media): Promise<string[]> =>
  (await standing(node)).get(id)?.copies.flatMap((copy) => (copy.proof === 'proven' ? [copy.id] : [])) ?? []

test('when the publisher of an item is gone for good, its replicas make copies of it, and go on after a restart', async () => {
  network.reportFailure()
  // By the swarm, and over HTTP alone.
  published = [
    await origin.publish('large.bin', seededBytes(1, 3_000_000)),
    await origin.publish('small.bin', seededBytes(2, 50_000)),
  ]
  for (const media of published) {
    await until(async () => (await provenAt(network.first, media)).length === 2, {
      within: 90_000,
      what: 'there is a copy beside the publisher’s',
    })
  }
  await origin.kill()
  await rm(origin.folder, { recursive: true })
  for (const media of published) {
    await until(async () => (await provenAt(network.first, media)).filter((id) => id !== origin.id).length === 2, {
      within: 90_000,
      what: 'there are two copies without the publisher’s',
    })
    const holders = []
    for (const seeder of others) if (await seeder.holds(media.id)) holders.push(seeder)
    expect(holders).toHaveLength(2)
    for (const holder of holders) {
      await holder.kill()
      await holder.start()
      await until(async () => (await holder.items()).has(media.id), { within: 30_000, what: 'it is listed' })
      expect(await holder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
    }
  }
}, 240_000)

test('the copies of a node whose certificate is taken back are made elsewhere', async () => {
  network.reportFailure()
  const [media] = published
  const seen = await until(
    async () => {
      const holders = await provenAt(network.first, media!)
      return holders.filter((id) => id !== origin.id).length === 2 && holders
    },
    { within: 30_000, what: 'two copies are proven' },
  )
  const revoked = others.find(({ id }) => id !== network.first.id && seen.includes(id))!
  const response = await network.first.admin('POST', '/v1/members', JSON.stringify({ member: revoked.id, roles: [] }))
  expect(response.status).toBe(201)
  const left = others.filter((seeder) => seeder !== revoked)
  await until(
    async () => {
      const holders = (await provenAt(network.first, media!)).filter((id) => id !== origin.id)
      return (
        holders.toSorted().toString() ===
        left
          .map(({ id }) => id)
          .toSorted()
          .toString()
      )
    },
    { within: 90_000, what: 'the two that are left have proven copies, and nobody else' },
  )
  for (const seeder of left) expect(await seeder.content(media!.id)).toEqual({ status: 200, sha256: media!.sha256 })
})
