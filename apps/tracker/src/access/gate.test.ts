import { describe, expect, it } from 'vitest'
import { Announce, Answer, type Counts, Swarms } from '../swarm/index.ts'
import { AccessGate, type AccessMode } from './gate.ts'
import { GuardedSwarms } from './guarded-swarms.ts'
import { InfoHashSet } from './info-hash-set.ts'
import { Passkeys } from './passkeys.ts'
import { type Listing, noKey, unsureKey, wrongKey } from './port.ts'

const passkey = 'k'.repeat(32)
/** SHA-256 of it, base64url. */
const digest = 'XjGPjPnL4kmjCBK4yhMtaR3tepGZFBNVjbV1hXX14B8'
const torrent = (n: number): Int32Array => new Int32Array(5).fill(n)

const build = (mode: AccessMode) => {
  const [file, network, denied] = [
    new InfoHashSet(Math.random),
    new InfoHashSet(Math.random),
    new InfoHashSet(Math.random),
  ]
  file.add(torrent(1))
  network.add(torrent(2))
  denied.add(torrent(2))
  denied.add(torrent(3))
  const keys = new Passkeys()
  const ready = { lists: true, keys: true }
  const gate = new AccessGate({
    mode,
    listed: [file, network],
    denied: [denied],
    keys,
    areListsReady: () => ready.lists,
    areKeysReady: () => ready.keys,
  })
  return { gate, keys, ready, denied }
}

describe('the gate', () => {
  it('in open mode serves everybody all that is not denied, and looks nothing up but that', () => {
    const never = (): never => {
      throw new Error('looked up')
    }
    const trap: Listing = { size: 1, has: never, add: never, remove: never }
    const keys = new Passkeys()
    keys.find = never
    const ready = { areListsReady: never, areKeysReady: never }
    const gate = new AccessGate({
      mode: 'open',
      listed: [trap],
      denied: [new InfoHashSet(Math.random)],
      keys,
      ...ready,
    })
    expect([gate.keyOf(''), gate.keyOf(passkey), gate.refusalOfKey(noKey)]).toEqual([noKey, noKey, ''])
    expect(gate.refusalOf(torrent(9), noKey)).toBe('')
    expect(build('open').gate.refusalOf(torrent(3), noKey)).toContain('denied')
  })

  it('in listed mode serves what any list holds, unless it is denied', () => {
    const { gate, ready, denied } = build('listed')
    expect(gate.refusalOf(torrent(1), noKey)).toBe('')
    expect(gate.refusalOf(torrent(2), noKey)).toContain('denied')
    expect(gate.refusalOf(torrent(4), noKey)).toContain('does not serve')
    ready.lists = false
    expect(gate.refusalOf(torrent(4), noKey)).toContain('try again')
    expect(gate.refusalOf(torrent(1), noKey)).toBe('')
    denied.remove(torrent(2))
    expect(gate.refusalOf(torrent(2), noKey)).toBe('')
    expect(gate.refused).toEqual({ denied: 1, unlisted: 1, notReady: 1, key: 0 })
  })

  it('in private mode serves who has a passkey that holds, whatever is listed', () => {
    const { gate, keys } = build('private')
    keys.put(5, digest)
    expect(gate.keyOf(passkey)).toBe(5)
    for (const wrong of ['', 'k'.repeat(31), 'K'.repeat(32), digest, `${passkey}k`])
      expect(gate.keyOf(wrong)).toBe(wrongKey)
    expect([gate.refusalOf(torrent(9), 5), gate.refusalOfKey(5)]).toEqual(['', ''])
    expect(gate.refusalOf(torrent(3), 5)).toContain('denied')
    for (const key of [noKey, wrongKey, 6]) {
      expect(gate.refusalOf(torrent(9), key)).toContain('passkey')
      expect(gate.refusalOfKey(key)).toContain('passkey')
    }
    keys.remove(5)
    expect([gate.keyOf(passkey), gate.refusalOf(torrent(9), 5)]).toEqual([wrongKey, expect.stringContaining('passkey')])
  })

  it('takes no key for wrong before it knows them all', () => {
    const { gate, keys, ready } = build('private')
    ready.keys = false
    expect(gate.keyOf(passkey)).toBe(unsureKey)
    expect(gate.refusalOfKey(unsureKey)).toContain('try again')
    keys.put(5, digest)
    expect(gate.keyOf(passkey)).toBe(5)
  })
})

describe('Passkeys', () => {
  it('knows a number by its last hash alone', () => {
    const keys = new Passkeys()
    keys.put(1, 'old')
    keys.put(1, digest)
    expect([keys.size, keys.hashOf(1), keys.find(passkey), keys.ids()]).toEqual([1, digest, 1, [1]])
    expect([keys.remove(1), keys.remove(1), keys.find(passkey), keys.has(1)]).toEqual([true, false, wrongKey, false])
  })
})

it('what the gate refuses is in no swarm, and its counts are those of nothing', () => {
  const swarms = new Swarms({
    limits: { swarms: 10, peersPerSwarm: 10, peers: 10 },
    ttl: { address: 100, socket: 100 },
    now: () => 0,
    random: Math.random,
    secret: Math.random,
  })
  const { gate, denied } = build('listed')
  const entrance = new GuardedSwarms(swarms, gate)
  const word = new Announce()
  const answer = new Answer()
  const counts: Counts = { complete: 9, incomplete: 9, downloaded: 9, downloaders: 9 }
  const none: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
  word.port = 1
  word.infoHash.set(torrent(1))
  entrance.announce(word, answer)
  expect([answer.refusal, answer.incomplete, swarms.peers]).toEqual(['', 1, 1])
  entrance.counts(torrent(1), noKey, counts)
  expect(counts).toEqual({ ...none, incomplete: 1, downloaders: 1 })
  denied.add(torrent(1))
  word.address[0] = 2
  entrance.announce(word, answer)
  expect(answer.refusal).toContain('denied')
  expect(answer).toMatchObject({ complete: 0, incomplete: 0, count: 0 })
  expect(swarms.peers).toBe(1)
  entrance.counts(torrent(1), noKey, counts)
  expect(counts).toEqual(none)
})
