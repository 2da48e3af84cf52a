import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Network, type Media, seededBytes, type Seeder, until } from '../harness/index.ts'
import { blobOf } from '../harness/rot.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** All nodes live through minutes in seconds: a start, the grace time and the wait before a release are a minute each. */
const factor = 8
const quick = [
  'env',
  `NODE_OPTIONS=--import=${fileURLToPath(new URL('../harness/quick-clock.ts', import.meta.url))}`,
  `QUICK_CLOCK=${Date.now()}x${factor}`,
]
const settings = { 'repair.grace': 60, 'replicas.min': 2, 'replicas.target': 2 }
const items = 8

interface Item {
  id: string
  level: string
  copies: { id: string; state: string; proof: string; live: boolean }[]
}

let network: Network
let published: Media[]

const begin = () => network.joinAt(join(network.folder, `quick-${network.seeders.length}`), settings, { within: quick })
const standing = async (node: Seeder) =>
  ((await (await node.admin('GET', '/v1/replication')).json()) as { items: Item[] }).items
const holders = ({ copies }: Item) => copies.filter(({ live }) => live).map(({ id }) => id)

const released = async (node: Seeder) =>
  Number(/^eldernode_replication_released (\d+)/m.exec(await (await node.admin('GET', '/metrics')).text())?.[1])

/** Every item has as many proven copies as it asks for, and none of them is somebody's who is not here. */
async function whole(node: Seeder, without: string[], exactly = false): Promise<void> {
  await until(
    async () => {
      const all = await standing(node)
      return (
        all.length === items &&
        all.every(
          (item) =>
            (item.level === 'at-target' || (!exactly && item.level === 'surplus')) &&
            (!exactly || item.copies.every(({ state }) => state === 'held')) &&
            item.copies.filter(({ id, proof }) => proof === 'proven' && !without.includes(id)).length >= 2,
        )
      )
    },
    { within: 90_000, what: 'every item has its copies' },
  )
}

beforeAll(async () => {
  network = await Network.start({ seeders: 0 })
  for (let n = 0; n < 4; n++) await begin()
  published = await Promise.all(
    Array.from({ length: items }, (_, n) => network.first.publish(`item ${n}.bin`, seededBytes(n, 200_000))),
  )
})

afterAll(() => network.close())

test('copies of a node that is gone are made elsewhere after the grace time; when it comes back late, what is too many goes', async () => {
  network.reportFailure()
  const { first } = network
  await whole(first, [], true)
  const before = await standing(first)
  const counts = network.seeders.slice(1).map((node) => before.filter((item) => holders(item).includes(node.id)).length)
  const victim = network.at(1 + counts.indexOf(Math.max(...counts)))
  const lost = before.filter((item) => holders(item).includes(victim.id))
  await victim.kill()
  await whole(first, [victim.id])
  for (const { id } of lost) {
    const { copies } = (await standing(first)).find((item) => item.id === id)!
    expect(copies.filter((copy) => copy.id !== victim.id && copy.proof === 'proven')).toHaveLength(2)
  }

  await victim.start()
  const [leaving] = await until(
    async () => {
      const all = (await standing(first)).filter(({ level }) => level === 'surplus')
      const marked = all.flatMap(({ id, copies }) =>
        copies.flatMap((copy) => (copy.live && copy.state === 'releasing' ? [{ id, holder: copy.id }] : [])),
      )
      return marked.length > 0 ? marked : undefined
    },
    { within: 30_000, what: 'the copies that came back are too many' },
  )
  // One that is about to go loses its bytes: it is no copy from then on, and what it is asked for it reads from others.
  const holder = network.seeders.find(({ id }) => id === leaving!.holder)!
  const media = published.find(({ id }) => id === leaving!.id)!
  await rm(blobOf(holder, media), { force: true })
  expect(await holder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  await until(
    async () =>
      (await standing(first)).some(
        ({ id, copies }) => id === media.id && !copies.some((copy) => copy.id === holder.id),
      ),
    { within: 30_000, what: 'the copy without bytes is said to be there no more' },
  )
  await whole(first, [], true)
  await until(
    async () => (await (await holder.admin('GET', '/metrics')).text()).includes('eldernode_items_damaged 0'),
    {
      within: 30_000,
      what: 'nothing is left of the copy without bytes',
    },
  )
  for (const item of await standing(first)) expect(holders(item)).toHaveLength(2)
  const leaver = await until(
    async () => {
      const given = await Promise.all(network.seeders.map(released))
      return network.seeders[given.findIndex((count) => count > 0)]
    },
    { within: 30_000, what: 'a node counts what it gave up' },
  )
  const events = await fetch(`${leaver.url}/v1/events?types=released`, {
    headers: { authorization: `Bearer ${leaver.token}`, 'last-event-id': '0' },
  })
  let told = ''
  for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
    told += chunk
    if (told.includes('"released"')) break
  }
  expect(told).toContain('"released"')
})

test('a node that drains gives all it has away, over a restart, and may go then', async () => {
  network.reportFailure()
  const leaving = network.at(2)
  const draining = async () => {
    const response = await leaving.admin('GET', '/v1/node/drain')
    return (await response.json()) as { draining: boolean; done?: boolean; left?: { items: number } }
  }
  expect((await leaving.admin('POST', '/v1/node/drain')).status).toBe(200)
  await leaving.kill()
  await leaving.start()
  await leaving.ready()
  await until(async () => (await draining()).done === true, { within: 90_000, what: 'nothing is left of it' })
  expect(await draining()).toMatchObject({ draining: true, left: { items: 0 } })
  await leaving.kill()
  for (const { id, sha256 } of published) {
    const others = network.seeders.filter((node) => node.isRunning)
    const held = (await Promise.all(others.map(async (node) => ((await node.holds(id)) ? [node] : [])))).flat()
    expect(held.length).toBeGreaterThanOrEqual(2)
    expect(await held[0]!.content(id)).toEqual({ status: 200, sha256 })
  }
})
