import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, sha256, until, type Media } from '../harness/index.ts'

const bytes = seededBytes(9, 300_000)
let network: Network
let media: Media

beforeAll(async () => {
  network = await Network.start({ seeders: 2, tracker: false })
  media = await network.first.publish('far.bin', bytes, 1)
  await until(async () => (await fetch(`${network.at(1).url}/v1/media/${media.id}/content`, { method: 'HEAD' })).ok, {
    within: 30_000,
    what: 'the second node knows the item',
  })
})

afterAll(() => network.close())

test.each([
  ['/file/', () => media.sha256],
  ['/api/media/', () => media.sha256],
  ['/torrent/', () => encodeURIComponent(media.magnet)],
])('%s gives what only another node holds', async (path, id) => {
  network.reportFailure()
  const response = await fetch(network.at(1).url + path + id())
  expect([response.status, sha256(new Uint8Array(await response.arrayBuffer()))]).toEqual([200, media.sha256])
})

test('a copy may be asked for by what the item holds, and placement decides', async () => {
  network.reportFailure()
  const other = await network.first.publish('other.bin', seededBytes(10, 50_000), 1)
  const asked = await until(
    async () => {
      const response = await network.at(1).admin('POST', `/replicate/${other.sha256}`, '{}')
      return response.ok ? ((await response.json()) as { message: string }) : undefined
    },
    { within: 30_000, what: 'the second node has heard of the item' },
  )
  expect(asked.message).toMatch(/Asked for|holds a copy/)
})
