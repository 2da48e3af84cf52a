import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, sha256OfFile, until } from '../harness/index.ts'
import { blobOf, flip, rot } from '../harness/rot.ts'

/** Bytes, and bytes per second. */
const [size, rate] = [1_500_000, 300_000]
let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 1 })
  await network.join({ 'repair.rate': rate })
})

afterAll(() => network.close())

test('a node mends no faster than repair.rate', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const media = await network.first.publish('slow to mend.bin', seededBytes(9, size))
  await until(() => replica.holds(media.id), { within: 30_000, what: 'the replica holds it' })
  await replica.stop()
  for (let at = media.pieceLength; at < size; at += media.pieceLength) await flip(replica, media, at)
  await rot(replica, media, 0)
  await replica.start()
  // An audit finds it.
  const began = performance.now()
  // Not what it answers, which it reads from others meanwhile.
  await until(async () => (await sha256OfFile(blobOf(replica, media))) === media.sha256, {
    within: 90_000,
    what: 'the copy is right again',
  })
  // What may pass at once after a lull, and the last block that overdraws, came sooner.
  expect((performance.now() - began) / 1000).toBeGreaterThan((size * 0.85) / rate)
  await until(async () => (await replica.content(media.id)).sha256 === media.sha256, {
    within: 30_000,
    what: 'the copy is known to be right',
  })
})
