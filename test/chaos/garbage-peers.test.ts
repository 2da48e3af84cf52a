import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { backToLevel, footprint, handshake, RawPeer, seededBytes, seededRandom } from '../harness/index.ts'
import { EncryptedHandshake, keyBytes, proposal } from '../harness/encrypted-handshake.ts'
import { lacks } from '../harness/tools.ts'
import { type Attack, encryptedAttacks, plainAttacks } from './garbage.ts'
import { Victim } from './victim.ts'

const seed = Number(process.env['ELDERNODE_SEED'] ?? Date.now() % 1_000_000)
/** Connections of each kind that are open at once. */
const each = 40
const rounds = 3
/** What 2,000 connections may leave behind: 4 KB of each alive, or 64 KB of each with the allocators, are too much. */
const allowed = { liveBytes: 8 * 2 ** 20, residentBytes: 128 * 2 ** 20, descriptors: 10 }

let victim: Victim
let asked = 0

beforeAll(async () => {
  victim = await Victim.start()
})

afterAll(() => victim.stop())

/** A client that behaves gets items that nobody had asked for before. */
const serves = (): Promise<void> => victim.serves(++asked, ++asked, ++asked)

async function attacked(attacks: Readonly<Record<string, Attack>>, count: number): Promise<void> {
  const random = seededRandom(seed)
  const bytes = (size: number): Buffer => Buffer.from(seededBytes(Math.ceil(random() * 2 ** 31), size))
  const peers: RawPeer[] = []
  try {
    for (const attack of Object.values(attacks)) {
      const opened = await Promise.all(Array.from({ length: count }, () => RawPeer.open(victim.port)))
      peers.push(...opened)
      await Promise.all(opened.map((peer) => attack(peer, victim.population.infoHash(0), bytes)))
    }
    await serves()
  } finally {
    for (const peer of peers) peer.end()
  }
}

test('an encrypted handshake without faults is answered', async () => {
  const [infoHash, peer] = [victim.population.infoHash(0), await RawPeer.open(victim.port)]
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
  const { seeder } = victim
  onTestFailed(() => console.error(seeder.output()))
  await attacked(attacks, each)
  const before = await footprint(seeder)
  for (let round = 0; round < rounds; round++) await attacked(attacks, each)
  await backToLevel(seeder, before, allowed)
  await serves()
  expect(await victim.state()).toEqual({ same: true, status: 'healthy' })
})
