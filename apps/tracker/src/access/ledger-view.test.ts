import { beforeEach, describe, expect, it } from 'vitest'
import type { Ban, Change } from '../ledger/index.ts'
import { Announce, Answer, Swarms } from '../swarm/index.ts'
import { Access } from './access.ts'

let now = 0
let access: Access
let swarms: Swarms
let bans: Ban[]

beforeEach(() => {
  now = 0
  bans = []
  swarms = new Swarms({
    limits: { swarms: 20_000, peersPerSwarm: 100, peers: 20_000 },
    accounts: { peersPerKey: 20_000, peerBytesPerSecond: 1e6 },
    ttl: { address: 1000, socket: 50 },
    now: () => now,
    random: Math.random,
    secret: Math.random,
  })
  access = new Access({ mode: 'private', hasLedger: true, swarms, onBan: (ban) => bans.push(ban), random: Math.random })
})

/** SHA-256 of 32 times the letter, base64url. */
const passkeys = {
  k: 'XjGPjPnL4kmjCBK4yhMtaR3tepGZFBNVjbV1hXX14B8',
}
const key = (id: number, hash: string, isRevoked = false): Change => ({ kind: 'key', id, hash, isRevoked })
const listed = (kind: 'allowed' | 'denied', digit: string, isListed = true): Change => ({
  kind,
  infoHash: digit.repeat(40),
  isListed,
})
const torrent = (digit: string) => new Int32Array(5).fill(Number.parseInt(digit.repeat(8), 16) | 0)

const announce = (id: number, host = 1, given = 0): void => {
  const word = new Announce()
  word.infoHash[0] = host
  word.address[0] = host
  word.port = 1
  word.key = id
  word.uploaded = given
  word.downloaded = 0
  swarms.announce(word, new Answer())
}

const tell = (...changes: Change[]): void => {
  access.ledger.begin()
  access.ledger.apply(changes)
  access.ledger.complete()
}

describe('what the ledger says', () => {
  it('is asked by the gate from the first word on, and is all there is when it was told', () => {
    expect(access.gate.refusalOfKey(access.gate.keyOf('k'.repeat(32)))).toContain('try again')
    access.ledger.begin()
    access.ledger.apply([key(1, passkeys.k), listed('denied', 'd')])
    expect(access.gate.keyOf('k'.repeat(32))).toBe(1)
    expect(access.gate.refusalOf(torrent('d'), 1)).toContain('denied')
    expect(access.gate.refusalOfKey(access.gate.keyOf('x'.repeat(32)))).toContain('try again')
    access.ledger.complete()
    expect(access.gate.refusalOfKey(access.gate.keyOf('x'.repeat(32)))).toContain('passkey')
    access.ledger.apply([listed('denied', 'd', false), { kind: 'ban', network: '192.0.2.1', until: 5 }])
    expect(access.gate.refusalOf(torrent('d'), 1)).toBe('')
    expect(bans).toEqual([{ network: '192.0.2.1', until: 5 }])
  })

  it('forgets what a fresh telling leaves out', () => {
    tell(key(1, passkeys.k), key(2, 'h2'), listed('denied', 'd'), listed('denied', 'e'))
    announce(1)
    announce(2, 2)
    tell(key(2, 'h2'), listed('denied', 'e'))
    expect([access.gate.keyOf('k'.repeat(32)), swarms.peers, [...swarms.keys()]]).toEqual([-1, 1, [2]])
    expect(access.gate.refusalOf(torrent('d'), 2)).toBe('')
    expect(access.gate.refusalOf(torrent('e'), 2)).toContain('denied')
  })

  it('takes the peers of a revoked key out before it answers again, and tells their last totals', () => {
    tell(key(1, passkeys.k), key(2, 'h2'))
    announce(1)
    announce(2, 2)
    now = 1000
    announce(1, 1, 500)
    access.ledger.apply([key(1, passkeys.k, true)])
    expect([swarms.peers, access.gate.keyOf('k'.repeat(32))]).toEqual([1, -1])
    expect(access.ledger.takeTotals(10)).toEqual([{ id: 1, uploaded: 500, downloaded: 0 }])
    expect(access.ledger.takeTotals(10)).toEqual([])
  })

  it('takes many of them out in turns', async () => {
    tell(key(1, passkeys.k))
    for (let host = 1; host <= 12_000; host++) announce(1, host)
    access.ledger.apply([key(1, passkeys.k, true)])
    expect(swarms.peers).toBe(7000)
    await new Promise((done) => setImmediate(done))
    expect(swarms.peers).toBe(2000)
    await new Promise((done) => setImmediate(done))
    expect(swarms.peers).toBe(0)
  })

  it('drops peers of a file whose key was revoked meanwhile, or is of somebody else now', () => {
    announce(3)
    announce(1, 2)
    tell(key(1, passkeys.k))
    expect([...swarms.keys()]).toEqual([1])
    tell(key(1, 'of another one'))
    expect([...swarms.keys()]).toEqual([])
  })

  it('hands totals on in parts', () => {
    for (let id = 1; id <= 5; id++) announce(id, id)
    now = 1000
    for (let id = 1; id <= 5; id++) announce(id, id, id)
    expect(access.ledger.takeTotals(3).map(({ uploaded }) => uploaded)).toEqual([1, 2, 3])
    expect(access.ledger.takeTotals(3).map(({ uploaded }) => uploaded)).toEqual([4, 5])
  })
})

it('in listed mode nothing is unlisted for good before the ledger and the network have told', () => {
  const listedMode = (hasLedger: boolean) =>
    new Access({ mode: 'listed', hasLedger, swarms, onBan: () => undefined, random: Math.random })
  const one = listedMode(true)
  const refusal = (of: Access): string => of.gate.refusalOf(torrent('a'), 0)
  expect(refusal(one)).toContain('try again')
  one.ledger.begin()
  one.ledger.complete()
  expect(refusal(one)).toContain('does not serve')
  one.network.isReady = false
  expect(refusal(one)).toContain('try again')
  one.ledger.apply([listed('allowed', 'a')])
  expect(refusal(one)).toBe('')
  expect(refusal(listedMode(false))).toContain('does not serve')
})
