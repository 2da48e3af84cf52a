import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, Program, seededBytes, sha256OfFile, until, type Media } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

let network: Network
let client: Program | undefined

beforeAll(async () => {
  network = await Network.start({ seeders: 1, settings: { 'storage.capacityBytes': 1_000 } })
})

afterAll(async () => {
  await client?.end('SIGKILL')
  await network.close()
})

/** Downloads by magnet and goes on seeding; other clients find it by the tracker alone. */
async function seedFrom({ magnet, name, sha256 }: Media, folder: string): Promise<void> {
  client = new Program({
    name: 'aria2c',
    command: 'aria2c',
    args: [
      `--dir=${folder}`,
      '--enable-dht=false',
      '--enable-dht6=false',
      '--bt-enable-lpd=false',
      '--enable-peer-exchange=false',
      '--seed-ratio=0.0',
      '--bt-tracker-interval=2',
      '--disable-ipv6=true',
      '--listen-port=20000-60000',
      '--no-conf=true',
      '--summary-interval=0',
      magnet,
    ],
  })
  await until(async () => (await sha256OfFile(join(folder, name))) === sha256, {
    within: 60_000,
    what: 'the client has every byte',
  })
}

test.skipIf(lacks('aria2c'))(
  'a replica gets what no live member holds from a client that the tracker names',
  async () => {
    network.reportFailure()
    const owner = network.first
    const publisher = await network.join({ 'storage.capacityBytes': 0 })
    const small = await network.join()
    const media: Media = await publisher.publish('rare.bin', seededBytes(77, 3_000_000))
    // Values come in order, so that the small node knows the large item once it holds the tiny one.
    const tiny = await publisher.publish('tiny.bin', seededBytes(78, 100))
    await until(() => small.holds(tiny.id), { within: 30_000, what: 'the small node holds what it has room for' })
    await seedFrom(media, join(network.folder, 'client'))
    expect([await owner.holds(media.id), await small.holds(media.id)]).toEqual([false, false])

    await publisher.kill()
    await small.kill()
    // Nobody remembers a heartbeat of the publisher any more.
    await owner.kill()
    await owner.start()
    await owner.ready()
    const large = await network.joinAt(small.folder, { 'storage.capacityBytes': 0 })
    await until(() => large.holds(media.id), { within: 60_000, what: 'the replica holds the item' })
    expect(await large.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
    const { peers } = await large.get<{ peers: { id: string }[] }>('/v1/peers')
    expect(peers.map(({ id }) => id)).toEqual([owner.id])
  },
)
