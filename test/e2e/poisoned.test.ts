import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@eldernode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aria2, Member, Network, seededBytes, sha256, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

let network: Network
let rogue: Member
/** The infohash of an item that the replica refused. */
let refusedItem: string

beforeAll(async () => {
  network = await Network.start({ seeders: 2 })
  rogue = await Member.join(network)
})

afterAll(async () => {
  await rogue.close()
  await network.close()
})

test('bytes that are not those a member signed are neither stored nor served', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const media = await network.first.publish('wanted.bin', seededBytes(1, 2_000_000), 1)
  const lie = sha256(seededBytes(2, 10))
  const manifest: Manifest = {
    infoHash: media.id,
    name: media.name,
    size: media.size,
    pieceLength: media.pieceLength,
    files: [{ path: media.name, size: media.size, sha256: lie, type: 'application/octet-stream' }],
    trackers: [],
    replicas: { min: 1, target: 5 },
    access: 'public',
    createdAt: Date.now(),
    state: 'live',
  }
  await rogue.graph.publish('m', media.id, manifest)

  await until(() => replica.logged({ infoHash: media.id, reason: 'content_mismatch' }), {
    within: 30_000,
    what: 'the replica refuses the bytes',
  })
  expect(await replica.holds(media.id)).toBe(false)
  expect((await replica.content(lie)).status).toBe(404)
  await until(async () => (await readdir(join(replica.folder, 'incoming'))).length === 0, {
    within: 5_000,
    what: 'nothing is left of the transfer',
  })
  // The lie of one member does not touch what another published.
  expect(await network.first.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  refusedItem = media.id
})

test.skipIf(lacks('aria2c'))('a BitTorrent client gets nothing of them from the replica', async () => {
  network.reportFailure()
  const { endpoints } = await network.at(1).get<{ endpoints: { bittorrent: string } }>('/v1/node')
  const magnet = `magnet:?xt=urn:btih:${refusedItem}&x.pe=${endpoints.bittorrent}`
  await expect(aria2(magnet, join(network.folder, 'client'), 5)).rejects.toThrow('aria2c ended')
})

test('names and sizes that are not those of the torrent are refused as well', async () => {
  network.reportFailure()
  const replica = network.at(1)
  const media = await network.first.publish('named.bin', seededBytes(3, 500_000), 1)
  await rogue.graph.publish('m', media.id, {
    infoHash: media.id,
    name: 'other.bin',
    size: media.size,
    pieceLength: media.pieceLength,
    files: [{ path: 'other.bin', size: media.size, sha256: media.sha256, type: 'application/octet-stream' }],
    trackers: [],
    replicas: { min: 1, target: 5 },
    access: 'public',
    createdAt: Date.now(),
    state: 'live',
  })
  await until(() => replica.logged({ infoHash: media.id, reason: 'content_mismatch' }), {
    within: 30_000,
    what: 'the replica refuses the item',
  })
  expect(await replica.holds(media.id)).toBe(false)
})
