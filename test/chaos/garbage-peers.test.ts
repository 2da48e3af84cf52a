import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import {
  backToLevel,
  footprint,
  handshake,
  LibtorrentBatch,
  populate,
  type Population,
  RawPeer,
  seededBytes,
  seededRandom,
  Seeder,
} from '../harness/index.ts'
import { EncryptedHandshake, keyBytes, proposal } from '../harness/encrypted-handshake.ts'
import { lacks } from '../harness/tools.ts'
import { type Attack, encryptedAttacks, plainAttacks } from './garbage.ts'

const seed = Number(process.env['ELDERNODE_SEED'] ?? Date.now() % 1_000_000)
/** Connections of each kind that are open at once. */
const each = 40
const rounds = 3
/** What 2,000 connections may leave behind: 4 KB of each alive, or 64 KB of each with the allocators, are too much. */
const allowed = { liveBytes: 8 * 2 ** 20, residentBytes: 128 * 2 ** 20, descriptors: 10 }

let folder: string
let seeder: Seeder
let population: Population
let port: number
let asked = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-garbage-'))
  seeder = new Seeder(
    'node',
    join(folder, 'node'),
    { 'network.allowPrivate': true, 'swarm.trackers': [] },
    { inspected: true },
  )
  population = await populate(seeder.folder, { items: 100, size: 16_384, published: true })
  await seeder.start()
  await seeder.ready()
  port = Number((await seeder.peerAddress()).split(':')[1])
})

afterAll(async () => {
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A client that behaves gets items that nobody had asked for before. */
async function serves(): Promise<void> {
  const wanted = [++asked, ++asked, ++asked]
  const target = join(folder, `client-${asked}`)
  const peer = `127.0.0.1:${port}`
  await (
    await LibtorrentBatch.start(population, { peer, folder: target, wanted, parallel: 3, within: 30_000 })
  ).finished()
}

async function attacked(attacks: Readonly<Record<string, Attack>>, count: number): Promise<void> {
  const random = seededRandom(seed)
  const bytes = (size: number): Buffer => Buffer.from(seededBytes(Math.ceil(random() * 2 ** 31), size))
  const peers: RawPeer[] = []
  try {
    for (const attack of Object.values(attacks)) {
      const opened = await Promise.all(Array.from({ length: count }, () => RawPeer.open(port)))
      peers.push(...opened)
      await Promise.all(opened.map((peer) => attack(peer, population.infoHash(0), bytes)))
    }
    await serves()
  } finally {
    for (const peer of peers) peer.end()
  }
}

test('an encrypted handshake without faults is answered', async () => {
  const [infoHash, peer] = [population.infoHash(0), await RawPeer.open(port)]
  const encrypted = new EncryptedHandshake(infoHash)
  await peer.send(encrypted.publicKey)
  encrypted.meet(await peer.read(keyBytes))
  const first = Buffer.concat([proposal(1, 7, 68), handshake(infoHash)])
  await peer.send(Buffer.concat([encrypted.synchronisation, encrypted.item, encrypted.encrypt(first)]))
  const sign = encrypted.decrypt(Buffer.alloc(8)).toString('latin1')
  let answer = ''
  // The other side's padding comes first.
  while (!answer.includes(sign)) answer += (await peer.read(1)).toString('latin1')
  const method = encrypted.decrypt(await peer.read(6))
  expect(method.readUInt32BE(0)).toBe(1)
  await peer.read(method.readUInt16BE(4))
  expect((await peer.read(68)).subarray(0, 20).toString('latin1')).toBe('\u0013BitTorrent protocol')
  peer.end()
})

test.skipIf(lacks('libtorrent')).each([
  { kind: 'plain handshakes', attacks: plainAttacks },
  { kind: 'encrypted handshakes', attacks: encryptedAttacks },
])(`garbage in every phase of $kind (ELDERNODE_SEED=${seed})`, async ({ attacks }) => {
  onTestFailed(() => console.error(seeder.output()))
  const { pid } = seeder
  await attacked(attacks, each)
  const before = await footprint(seeder)
  for (let round = 0; round < rounds; round++) await attacked(attacks, each)
  await backToLevel(seeder, before, allowed)
  await serves()
  expect(seeder.isRunning && seeder.pid).toBe(pid)
  expect(await seeder.get('/health')).toMatchObject({ status: 'healthy' })
})
