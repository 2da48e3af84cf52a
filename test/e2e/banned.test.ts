import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describe } from '../../apps/seeder/src/ingest/index.ts'
import { heartbeatOf } from '../harness/graph-values.ts'
import { Member, Network, seededBytes, sha256, until } from '../harness/index.ts'

let network: Network
let rogue: Member
let server: Server
const right = seededBytes(2, 20_000)
const about = { name: 'spoilt.bin', size: right.length, pieceLength: 32_768 }
const pieces = createHash('sha1').update(right).digest()
const { infoHash, metainfo } = describe({ ...about, pieces, files: [{ path: about.name, size: about.size }] })
/** What the rogue was asked for. */
const requests: (string | undefined)[] = []

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  rogue = await Member.join(network)
  server = createServer((request, response) => {
    requests.push(request.url)
    response.end(request.url?.endsWith('/torrent') === true ? metainfo : seededBytes(1, right.length))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(async () => {
  await rogue.close()
  server.closeAllConnections()
  server.close()
  await network.close()
})

test('who gave wrong bytes of an item is not asked for it again, also by later tries', async () => {
  network.reportFailure()
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const beat = { ...heartbeatOf(undefined), endpoints: { http: base }, capacity: { bytes: 0, used: 0, free: 0 } }
  await rogue.graph.publish('hb', 'hb', beat)
  await rogue.graph.publish('m', infoHash, {
    ...about,
    infoHash,
    files: [{ path: about.name, size: about.size, sha256: sha256(right), type: 'application/octet-stream' }],
    trackers: [],
    replicas: { min: 1, target: 2 },
    access: 'public',
    createdAt: 1,
    state: 'live',
  })
  const tries = async (): Promise<number> => {
    const response = await network.first.admin('GET', '/v1/replication')
    const { items } = (await response.json()) as { items: { id: string; job?: { attempts: number } }[] }
    return items.find(({ id }) => id === infoHash)?.job?.attempts ?? 0
  }
  await until(async () => (await tries()) >= 3, { within: 60_000, what: 'it was tried three times' })
  expect(network.first.logged({ infoHash, source: base })).toBe(true)
  expect(requests.filter((url) => url === `/v1/media/${infoHash}/ws/${about.name}`)).toHaveLength(1)
  expect(await network.first.holds(infoHash)).toBe(false)
})
