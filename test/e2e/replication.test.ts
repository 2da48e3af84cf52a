import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until } from '../harness/index.ts'

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 2 })
})

afterAll(() => network?.close())

test('an item published at one node is held by the other', async () => {
  network.reportFailure()
  const bytes = seededBytes(1, 3_000_000)
  const media = await network.first.publish('a.bin', bytes)
  await until(() => network.at(1).holds(media.id), { within: 30_000, what: 'the second node holds it' })
  expect(await network.at(1).content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
})
