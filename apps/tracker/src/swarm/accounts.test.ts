import { strict as assert } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { Announce, Answer, decodePeers, encodePeers, happened, type Host, kinds, Swarms } from './index.ts'

let now = 0

const someone: Host = { kind: kinds.ipv4, high: 1, low: 0, isMember: false }

const privateSwarms = (accounts = { peersPerKey: 3, peerBytesPerSecond: 1000 }, ttl = 100) => {
  now = 0
  return new Swarms({
    limits: { swarms: 20, peersPerSwarm: 100, peers: 200 },
    accounts,
    ttl: { address: ttl, socket: 50 },
    now: () => now,
    random: Math.random,
    secret: () => 0.4,
  })
}

interface Word {
  key: number
  torrent?: number
  host?: number
  kind?: 0 | 2
  event?: keyof typeof happened
  given?: number
  taken?: number
}

const say = (swarms: Swarms, { key, torrent = 1, host = 1, kind = 0, event = 'update', given, taken }: Word) => {
  const word = new Announce()
  const answer = new Answer()
  word.infoHash.fill(torrent)
  word.kind = kind
  word.address[0] = host
  word.port = kind === kinds.socket ? 0 : 1000
  word.event = happened[event]
  word.key = key
  word.left = 1
  word.wanted = 50
  word.uploaded = given ?? Number.NaN
  word.downloaded = taken ?? Number.NaN
  swarms.announce(word, answer)
  return answer
}

const totals = (swarms: Swarms, most = 100) => {
  const told: Record<number, [number, number]> = {}
  swarms.takeTotals(most, (key, given, taken) => {
    told[key] = [given, taken]
  })
  return told
}

describe('totals of a passkey', () => {
  it('are the differences between what each of its peers says, from its first word on', () => {
    const swarms = privateSwarms()
    say(swarms, { key: 7, host: 1, given: 500, taken: 0 })
    say(swarms, { key: 7, host: 2, given: 0, taken: 90 })
    say(swarms, { key: 8, host: 3, given: 1, taken: 1 })
    expect(totals(swarms)).toEqual({})
    now = 10_000
    say(swarms, { key: 7, host: 1, given: 700, taken: 5 })
    say(swarms, { key: 7, host: 2, given: 30, taken: 90 })
    expect(totals(swarms)).toEqual({ 7: [230, 5] })
    expect(totals(swarms)).toEqual({})
    say(swarms, { key: 7, host: 1, given: 701, taken: 5 })
    expect(totals(swarms)).toEqual({ 7: [1, 0] })
  })

  it('count what a peer says with its stop, whichever way it speaks', () => {
    const swarms = privateSwarms()
    const client = swarms.openClient(someone)
    say(swarms, { key: 7, kind: 2, host: client, given: 0, taken: 0 })
    say(swarms, { key: 8, given: 0, taken: 0 })
    now = 5000
    say(swarms, { key: 7, kind: 2, host: client, event: 'stopped', given: 40, taken: 50 })
    say(swarms, { key: 8, event: 'stopped', given: 60, taken: 70 })
    expect(swarms.peers).toBe(0)
    expect(totals(swarms)).toEqual({ 7: [40, 50], 8: [60, 70] })
  })

  it('are never negative: who says less than before began anew', () => {
    const swarms = privateSwarms()
    say(swarms, { key: 7, given: 500, taken: 900 })
    now = 10_000
    say(swarms, { key: 7, event: 'started', given: 0, taken: 950 })
    expect(totals(swarms)).toEqual({ 7: [0, 50] })
    now = 20_000
    say(swarms, { key: 7, given: 10, taken: 900 })
    expect(totals(swarms)).toEqual({ 7: [10, 0] })
  })

  it('believe no more than a line can carry, and nothing twice', () => {
    const swarms = privateSwarms()
    say(swarms, { key: 7, given: 0, taken: 0 })
    now = 5000
    say(swarms, { key: 7, given: Number.MAX_VALUE, taken: 4999.5 })
    expect(totals(swarms)).toEqual({ 7: [5000, 4999] })
    // Within one second one second's worth is believed.
    say(swarms, { key: 7, given: 0, taken: 1e9 })
    expect(totals(swarms)).toEqual({ 7: [0, 1000] })
  })

  it('know nothing from who says nothing', () => {
    const swarms = privateSwarms()
    say(swarms, { key: 7, given: 10, taken: 10 })
    now = 5000
    say(swarms, { key: 7 })
    expect(totals(swarms)).toEqual({})
    say(swarms, { key: 7, given: 30 })
    expect(totals(swarms)).toEqual({ 7: [20, 0] })
  })

  it('are told of so many keys at a time, and of one that is asked for', () => {
    const swarms = privateSwarms()
    for (let key = 1; key <= 5; key++) say(swarms, { key, host: key, given: 0 })
    now = 1000
    for (let key = 1; key <= 5; key++) say(swarms, { key, host: key, given: key })
    swarms.takeTotalsOf(3, (key, given) => expect([key, given]).toEqual([3, 3]))
    expect(totals(swarms, 2)).toEqual({ 1: [1, 0], 2: [2, 0] })
    expect(totals(swarms, 2)).toEqual({ 4: [4, 0], 5: [5, 0] })
  })

  it('outlive their last peer until they are told', () => {
    const swarms = privateSwarms()
    say(swarms, { key: 7, given: 0 })
    now = 1000
    say(swarms, { key: 7, event: 'stopped', given: 9 })
    for (let key = 10; key < 40; key++) {
      say(swarms, { key, host: key })
      say(swarms, { key, host: key, event: 'stopped' })
    }
    expect(totals(swarms)).toEqual({ 7: [9, 0] })
    expect([...swarms.keys()]).toEqual([])
  })
})

describe('peers of a passkey', () => {
  it('are so many at most, in all torrents, and one more when one of them is gone', () => {
    const swarms = privateSwarms()
    for (let torrent = 1; torrent <= 3; torrent++) expect(say(swarms, { key: 7, torrent }).refusal).toBe('')
    expect(say(swarms, { key: 7, torrent: 4 }).refusal).toContain('passkey')
    expect([swarms.peers, swarms.swarms]).toEqual([3, 3])
    expect(say(swarms, { key: 7, torrent: 3 }).refusal).toBe('')
    expect(say(swarms, { key: 8, torrent: 4, host: 2 }).refusal).toBe('')
    say(swarms, { key: 7, torrent: 1, event: 'stopped' })
    expect(say(swarms, { key: 7, torrent: 4 }).refusal).toBe('')
    now = 110_000
    while (swarms.expire(10));
    expect(swarms.peers).toBe(0)
    for (let torrent = 1; torrent <= 3; torrent++) expect(say(swarms, { key: 7, torrent }).refusal).toBe('')
  })

  it('go with the key, and nobody else goes', () => {
    const swarms = privateSwarms({ peersPerKey: 100, peerBytesPerSecond: 1 })
    const client = swarms.openClient(someone)
    for (let torrent = 1; torrent <= 9; torrent++) {
      say(swarms, { key: 7, torrent })
      say(swarms, { key: 7, torrent, kind: 2, host: client })
      say(swarms, { key: 8, torrent, host: 2 })
    }
    let turns = 1
    while (swarms.takeOut(7, 4)) turns++
    expect([turns, swarms.peers, swarms.swarmsOf(client)]).toEqual([5, 9, 0])
    expect([...swarms.keys()]).toEqual([8])
    const { peers, count } = say(swarms, { key: 9, torrent: 1, host: 3 })
    const bytes = Buffer.alloc(18)
    expect(count).toBe(1)
    expect(bytes.subarray(0, swarms.writePeer(peers[0] ?? -1, bytes, 0)).toString('hex')).toBe('0000000203e8')
  })

  it('are not stopped, and not credited, by who comes with another key from the same address', () => {
    const swarms = privateSwarms()
    say(swarms, { key: 7, given: 0 })
    now = 1000
    say(swarms, { key: 8, event: 'stopped', given: 900 })
    expect([swarms.peers, totals(swarms)]).toEqual([1, {}])
    say(swarms, { key: 8, given: 900 })
    expect([swarms.peers, [...swarms.keys()], totals(swarms)]).toEqual([1, [8], {}])
    // One who has as many peers as he may takes nobody's place.
    for (let torrent = 2; torrent <= 4; torrent++) say(swarms, { key: 9, torrent })
    expect(say(swarms, { key: 9, torrent: 1 }).refusal).toContain('passkey')
  })
})

it('accounts come back from a file with their peers; what has no account is nobody on a private tracker', () => {
  const before = privateSwarms()
  say(before, { key: 7, given: 100, taken: 200 })
  say(before, { key: 8, torrent: 2, given: 0, taken: 0 })
  const file = encodePeers(before, 1e12)
  const after = privateSwarms()
  expect([decodePeers(file, after, 1e12 + 10_000, 100), after.peers]).toEqual([2, 2])
  expect(new Set(after.keys())).toEqual(new Set([7, 8]))
  say(after, { key: 7, given: 150, taken: 260 })
  expect(totals(after)).toEqual({ 7: [50, 60] })
  const open = () =>
    new Swarms({
      limits: { swarms: 20, peersPerSwarm: 100, peers: 200 },
      ttl: { address: 100, socket: 50 },
      now: () => now,
      random: Math.random,
      secret: () => 0.4,
    })
  const opened = open()
  expect([decodePeers(file, opened, 1e12, 100), opened.peers]).toEqual([2, 2])
  const closed = privateSwarms()
  expect([decodePeers(encodePeers(opened, 1e12), closed, 1e12, 100), closed.peers]).toEqual([2, 0])
  for (let at = 0; at < file.length; at += 7) {
    const damaged = Buffer.from(file)
    damaged[at] = (damaged[at] ?? 0) ^ 8
    expect(decodePeers(damaged, privateSwarms(), 1e12, 100)).toBeUndefined()
  }
})

it('agrees with plain sums through any mixture of words', () => {
  const swarms = privateSwarms({ peersPerKey: 5, peerBytesPerSecond: 10 }, 1e6)
  const pick = (below: number): number => Math.floor(Math.random() * below)
  const model = new Map<string, { key: number; given: number; seen: number }>()
  const wanted = new Map<number, number>()
  const got = new Map<number, number>()
  for (let step = 0; step < 20_000; step++) {
    now += 1000 * pick(3)
    const [key, torrent, host, given] = [1 + pick(4), 1 + pick(3), pick(6), pick(1000)]
    const name = `${torrent} ${host}`
    const known = model.get(name)
    const event = pick(5) === 0 ? 'stopped' : 'update'
    const isOwn = known?.key === key
    const peersOf = [...model.values()].filter((one) => one.key === key).length
    if (known !== undefined && isOwn) {
      const most = 10 * Math.max(1, (now - known.seen) / 1000)
      wanted.set(key, (wanted.get(key) ?? 0) + Math.max(0, Math.min(given - known.given, most)))
    }
    const { refusal } = say(swarms, { key, torrent, host, event, given })
    const isTaken = event === 'stopped' || isOwn || peersOf < 5
    assert.equal(refusal === '', isTaken)
    if (event !== 'stopped' && isTaken) model.set(name, { key, given, seen: now })
    else if (event !== 'stopped' || isOwn) model.delete(name)
    if (step % 50 === 0) swarms.takeTotals(3, (one, more) => got.set(one, (got.get(one) ?? 0) + more))
    if (step % 500 === 499) {
      // Everybody leaves.
      for (const one of [1, 2, 3, 4]) swarms.takeOut(one, 100)
      model.clear()
      assert.equal(swarms.peers, 0)
    }
  }
  swarms.takeTotals(100, (one, more) => got.set(one, (got.get(one) ?? 0) + more))
  expect(got).toEqual(new Map([...wanted].filter(([, sum]) => sum > 0)))
})
