import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Manifest } from '@eldernode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describe } from '../../apps/seeder/src/ingest/index.ts'
import { handshake, Member, Network, RawPeer, seededBytes, sha256, until, type Media } from '../harness/index.ts'

let network: Network
let rogue: Member
/** The infohash of an item that the replica refused. */
let refusedItem: string
let server: Server | undefined

const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest()

beforeAll(async () => {
  network = await Network.start({ seeders: 2 })
  rogue = await Member.join(network)
})

afterAll(async () => {
  server?.close()
  await rogue.close()
  await network.close()
})

/** Has the rogue say that it is a node at this address. */
async function beat(http: string): Promise<void> {
  await rogue.graph.publish('hb', 'hb', {
    endpoints: { http },
    zone: '',
    operator: '',
    state: 'draining',
    capacity: { bytes: 1, used: 0, free: 0 },
    load: { up: 0, down: 0, connections: 0 },
    counts: { items: 1, awake: 0, queue: 0 },
    version: '0',
  })
}

const lies = (
  media: Pick<Media, 'id' | 'name' | 'size' | 'pieceLength'>,
  digest: string,
  name = media.name,
): Manifest => ({
  infoHash: media.id,
  name,
  size: media.size,
  pieceLength: media.pieceLength,
  files: [{ path: name, size: media.size, sha256: digest, type: 'application/octet-stream' }],
  trackers: [],
  replicas: { min: 1, target: 5 },
  access: 'public',
  createdAt: 1,
  state: 'live',
})

test('bytes that are not those a member signed are neither stored nor served', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const bytes = seededBytes(1, 20_000)
  const pieces = Buffer.concat([bytes.subarray(0, 16_384), bytes.subarray(16_384)].map(sha1))
  const about = { name: 'wanted.bin', size: bytes.length, pieceLength: 16_384 }
  const { infoHash: id } = describe({ ...about, pieces, files: [{ path: about.name, size: about.size }] })
  let asked = 0
  server = createServer((request, response) => {
    if (request.url === `/v1/media/${id}/ws/wanted.bin`) asked++
    response.end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await beat(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const lie = sha256(seededBytes(2, 10))
  await rogue.graph.publish('m', id, lies({ id, ...about }, lie))

  await until(() => replica.logged({ infoHash: id, reason: 'content_mismatch' }), {
    within: 30_000,
    what: 'the replica refuses the bytes',
  })
  expect(asked).toBeGreaterThan(0)
  expect(await replica.holds(id)).toBe(false)
  expect((await replica.content(lie)).status).toBe(404)
  const emptied = () =>
    until(async () => (await readdir(join(replica.folder, 'incoming'))).length === 0, {
      within: 5_000,
      what: 'nothing is left of the transfer',
    })
  await emptied()

  // It is left alone until somebody asks for another try.
  const before = asked
  expect((await replica.admin('POST', `/v1/media/${id}/repair`)).status).toBe(202)
  await until(() => asked > before, { within: 10_000, what: 'the bytes are asked for once more' })
  await emptied()
  expect(await replica.holds(id)).toBe(false)
  refusedItem = id
})

test('a BitTorrent client gets nothing of them from the replica', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const port = Number((await replica.peerAddress()).split(':').at(-1))
  const held = await network.first.publish('held.bin', seededBytes(8, 1000))
  await until(() => replica.holds(held.id), { within: 30_000, what: 'the replica holds another item' })
  const isAnswered = async (infoHash: string): Promise<boolean> => {
    const peer = await RawPeer.open(port)
    await peer.send(handshake(infoHash))
    const answer = await peer.read(68).catch(() => undefined)
    expect(answer !== undefined || peer.closed).toBe(true)
    peer.end()
    return answer !== undefined
  }
  expect([await isAnswered(held.id), await isAnswered(refusedItem)]).toEqual([true, false])
})

test('what one member lies about is replicated as another one signed it', async () => {
  network.reportFailure()
  const replica = network.at(1)
  for (const [n, name] of ['named.bin', 'large.bin'].entries()) {
    const media = await network.first.publish(name, seededBytes(3 + n, 500_000 + n * 1_500_000), 1)
    const lie = sha256(seededBytes(9, 10))
    await rogue.graph.publish('m', media.id, lies(media, lie, n === 0 ? 'other.bin' : name))
    await until(() => replica.holds(media.id), { within: 30_000, what: 'the replica has what the honest one signed' })
    expect((await replica.get<Media>(`/v1/media/${media.id}`)).files).toEqual(media.files)
    expect(await replica.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
    expect((await replica.content(lie)).status).toBe(404)
  }
})
