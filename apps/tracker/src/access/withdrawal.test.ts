import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { Announce, Answer, kinds, Swarms } from '../swarm/index.ts'
import { Access } from './access.ts'
import type { AccessMode } from './gate.ts'
import { Withdrawal } from './withdrawal.ts'

let swarms: Swarms
let access: Access
let withdrawal: Withdrawal

const build = (mode: AccessMode, hasLedger = false): void => {
  const { random } = Math
  swarms = new Swarms({
    limits: { swarms: 20_000, peersPerSwarm: 10_000, peers: 40_000 },
    ttl: { address: 1000, socket: 1000 },
    now: () => 0,
    random,
    secret: random,
  })
  access = new Access({ mode, hasLedger, swarms, onBan: () => undefined, random })
  withdrawal = new Withdrawal(access, swarms)
}

beforeEach(() => build('open'))

const torrent = (n: number): Int32Array => Int32Array.of(n, n, n, n, n)
const announce = (n: number, host = 1, kind: Announce['kind'] = kinds.ipv4): void => {
  const word = new Announce()
  word.infoHash.set(torrent(n))
  word.kind = kind
  word.address[0] = host
  word.port = kind === kinds.socket ? 0 : 1
  swarms.announce(word, new Answer())
}

it('takes out the peers of what is denied, behind sockets too, and nobody else', () => {
  const client = swarms.openClient({ kind: kinds.ipv4, high: 1, low: 0, isMember: false })
  for (const n of [1, 2, 3]) {
    announce(n)
    announce(n, client, kinds.socket)
  }
  withdrawal.tick()
  expect(swarms.peers).toBe(6)
  access.network.denied.add(torrent(2))
  withdrawal.tick()
  expect([swarms.swarms, swarms.peers, swarms.swarmsOf(client)]).toEqual([2, 4, 2])
  access.ledger.begin()
  access.ledger.apply([{ kind: 'denied', infoHash: '00000003'.repeat(5), isListed: true }])
  access.ledger.complete()
  withdrawal.tick()
  expect([swarms.swarms, swarms.peers]).toEqual([1, 2])
})

it('does the same with what a file denies when it is read again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'withdrawal-'))
  onTestFinished(async () => await rm(folder, { recursive: true }))
  const deny = join(folder, 'deny')
  for (const n of [1, 2]) announce(n)
  await writeFile(deny, `${'00000001'.repeat(5)}\n`)
  await access.read({ allow: '', deny })
  withdrawal.tick()
  expect(swarms.swarms).toBe(1)
})

it('in listed mode takes out what is listed no longer, once the lists tell all there is', () => {
  build('listed', true)
  for (const n of [1, 2, 3]) {
    announce(n)
    if (n < 3) access.network.allowed.add(torrent(n))
  }
  withdrawal.tick()
  expect(swarms.swarms).toBe(3)
  access.ledger.begin()
  access.ledger.complete()
  withdrawal.tick()
  expect(swarms.swarms).toBe(2)
  access.network.allowed.remove(torrent(1))
  withdrawal.tick()
  expect(swarms.swarms).toBe(1)
})

it('takes many torrents and large swarms in turns, and starts anew with what is withdrawn meanwhile', async () => {
  for (let n = 1; n <= 15_000; n++) announce(n)
  for (let host = 2; host <= 5000; host++) announce(14_000, host)
  const { denied } = access.network
  denied.add(torrent(14_000))
  withdrawal.tick()
  expect(swarms.peers).toBe(19_999)
  denied.add(torrent(1))
  const seen = [swarms.peers]
  for (let turns = 0; turns < 20 && swarms.swarms > 14_999; turns++) {
    withdrawal.tick()
    await new Promise(setImmediate)
    if (swarms.peers !== seen.at(-1)) seen.push(swarms.peers)
  }
  expect(seen).toEqual([19_999, 17_999, 15_999, 14_999])
  withdrawal.tick()
  expect(swarms.swarms).toBe(14_998)
  withdrawal.stop()
})
