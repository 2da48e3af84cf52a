import { strict as assert } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { Announce, Answer, type Counts, decodePeers, encodePeers, happened, type Host, kinds, Swarms } from './index.ts'

const someone: Host = { kind: kinds.ipv4, high: 1, low: 0, isMember: false }

let now = 0

const swarmsOf = (
  limits: Partial<{ swarms: number; peersPerSwarm: number; peers: number }> = {},
  ttl = { address: 100, socket: 50 },
) => {
  now = 0
  const all = { swarms: 20, peersPerSwarm: 1000, peers: 2000, ...limits }
  return new Swarms({
    limits: all,
    ttl,
    now: () => now,
    random: Math.random,
    secret: () => 0.4,
  })
}

interface Word {
  torrent?: number
  /** Of 10.0.0.0; IPv6: the last word of fd00::. */
  host?: number
  port?: number
  kind?: 0 | 1 | 2
  event?: keyof typeof happened
  left?: number
  wanted?: number
}

const say = (
  swarms: Swarms,
  { torrent = 1, host = 1, port = 1000, kind = 0, event = 'update', left = 1, wanted = 50 }: Word,
) => {
  const word = new Announce()
  const answer = new Answer()
  word.infoHash.fill(torrent)
  word.kind = kind
  word.address.set(kind === 0 ? [0x0a00_0000 + host] : kind === 1 ? [0xfd00 << 16, 0, 0, host] : [host])
  word.port = kind === 2 ? 0 : port
  word.event = happened[event]
  word.left = left
  word.wanted = wanted
  swarms.announce(word, answer)
  const peers = [...answer.peers.subarray(0, answer.count)].map((peer) =>
    kind === 2 ? String(swarms.clientOf(peer)) : addressOf(swarms, peer),
  )
  const others = [...answer.others.subarray(0, answer.otherCount)].map((peer) => addressOf(swarms, peer))
  const { refusal, complete, incomplete } = answer
  return { refusal, complete, incomplete, peers, others }
}

const addressOf = (swarms: Swarms, peer: number): string => {
  const bytes = Buffer.alloc(18)
  return bytes.subarray(0, swarms.writePeer(peer, bytes, 0)).toString('hex')
}

const counts = (swarms: Swarms, torrent = 1): Counts => {
  const into = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
  swarms.counts(new Int32Array(5).fill(torrent), into)
  return into
}

describe('Swarms', () => {
  it('tells peers of each other in compact form, and none of itself', () => {
    const swarms = swarmsOf()
    expect(say(swarms, { host: 1, port: 0x1234 })).toMatchObject({ complete: 0, incomplete: 1, peers: [] })
    expect(say(swarms, { host: 2, left: 0 })).toMatchObject({ complete: 1, incomplete: 1, peers: ['0a0000011234'] })
    expect(say(swarms, { host: 1, port: 0x1234 }).peers).toEqual(['0a00000203e8'])
  })

  it('tells those who have everything, and those who stopped or paused fetching, of nobody who has it too', () => {
    const swarms = swarmsOf()
    say(swarms, { host: 1, left: 0 })
    say(swarms, { host: 2, event: 'paused', left: 5 })
    expect(say(swarms, { host: 3, left: 0 }).peers).toEqual([])
    expect(say(swarms, { host: 2, event: 'paused', left: 5 }).peers).toEqual([])
    expect(say(swarms, { host: 4, left: 7 }).peers).toHaveLength(3)
    expect(say(swarms, { host: 3, left: 0 }).peers).toEqual(['0a00000403e8'])
    expect(counts(swarms)).toEqual({ complete: 2, incomplete: 2, downloaded: 0, downloaders: 1 })
  })

  it('fills what the own address family leaves with the other one (BEP 7)', () => {
    const swarms = swarmsOf()
    for (let host = 1; host <= 3; host++) say(swarms, { kind: 1, host, port: 80 })
    const { peers, others } = say(swarms, { host: 1, wanted: 2 })
    expect(peers).toEqual([])
    expect(others).toHaveLength(2)
    expect(others[0]).toMatch(/^fd0{29}[123]0050$/)
    const ipv6 = say(swarms, { kind: 1, host: 3, port: 80 })
    expect([ipv6.peers.length, ipv6.others.length]).toEqual([2, 1])
  })

  it('counts a download when a peer that it knew to fetch has everything, once', () => {
    const swarms = swarmsOf()
    say(swarms, { host: 1, event: 'started', left: 0 })
    say(swarms, { host: 2, event: 'completed', left: 0 })
    expect(counts(swarms).downloaded).toBe(0)
    say(swarms, { host: 3, event: 'started' })
    say(swarms, { host: 3, event: 'completed', left: 0 })
    say(swarms, { host: 3, event: 'completed', left: 0 })
    say(swarms, { host: 4 })
    say(swarms, { host: 4, left: 0 })
    expect(counts(swarms)).toEqual({ complete: 4, incomplete: 0, downloaded: 2, downloaders: 0 })
  })

  it('keeps what it knows of a peer that does not know the size, and believes one that misses something again', () => {
    const swarms = swarmsOf()
    say(swarms, { left: Number.NaN })
    expect(counts(swarms).incomplete).toBe(1)
    say(swarms, { left: 0 })
    say(swarms, { left: Number.NaN })
    expect(counts(swarms).complete).toBe(1)
    say(swarms, { left: 9 })
    expect(counts(swarms).incomplete).toBe(1)
  })

  it('forgets an empty swarm with its counts, and takes no stop for a start', () => {
    const swarms = swarmsOf({ swarms: 1 })
    say(swarms, { torrent: 2, event: 'stopped' })
    expect([swarms.swarms, swarms.peers]).toEqual([0, 0])
    for (const host of [1, 2]) say(swarms, { torrent: 1, host })
    say(swarms, { torrent: 1, left: 0 })
    expect(say(swarms, { torrent: 2 }).refusal).toContain('full')
    for (const host of [1, 2]) say(swarms, { torrent: 1, host, event: 'stopped' })
    expect(say(swarms, { torrent: 2 }).refusal).toBe('')
    expect(counts(swarms, 2)).toEqual({ complete: 0, incomplete: 1, downloaded: 0, downloaders: 1 })
  })

  it('forgets who did not announce for long, at any time of its life', () => {
    const swarms = swarmsOf()
    say(swarms, { host: 1 })
    say(swarms, { kind: 2, host: swarms.openClient(someone) })
    now = 40_000
    say(swarms, { host: 2 })
    now = 60_000
    while (swarms.expire(1));
    expect(swarms.peers).toBe(2)
    now = 102_000
    while (swarms.expire(1));
    expect([swarms.peers, counts(swarms).incomplete]).toEqual([1, 1])
    say(swarms, { host: 2 })
    now = 190_000
    while (swarms.expire(1));
    expect(swarms.peers).toBe(1)
    now = 210_000
    while (swarms.expire(1));
    expect([swarms.peers, swarms.swarms]).toEqual([0, 0])
  })

  it('has nothing to expire of those who came before it first looked, or while it was held up', () => {
    const swarms = swarmsOf({}, { address: 250, socket: 50 })
    for (let host = 1; host <= 3; host++) say(swarms, { host })
    for (let client = 0; client < 3; client++) say(swarms, { kind: 2, host: swarms.openClient(someone) })
    now = 1000
    expect(swarms.expire(50)).toBe(false)
    now = 40_000
    for (let host = 4; host <= 6; host++) say(swarms, { host })
    expect(swarms.expire(50)).toBe(false)
    now = 252_000
    while (swarms.expire(50));
    expect(swarms.peers).toBe(3)
  })

  it('lets one that was not heard of for long give way in a full swarm', () => {
    const swarms = swarmsOf({ peersPerSwarm: 8, peers: 20 })
    for (let host = 1; host <= 8; host++) {
      now += 1000
      say(swarms, { host })
    }
    for (let host = 9; host <= 200; host++) {
      now += 1000
      say(swarms, { host })
      expect([swarms.peers, counts(swarms).incomplete]).toEqual([8, 8])
    }
    expect(say(swarms, { host: 200 }).peers).toHaveLength(7)
  })

  it('takes no new swarm when it has as many peers as it may, and goes on with those it has', () => {
    const swarms = swarmsOf({ peers: 3 })
    for (let host = 1; host <= 3; host++) say(swarms, { host })
    expect(say(swarms, { torrent: 2, host: 4 }).refusal).toContain('full')
    expect(say(swarms, { host: 4 })).toMatchObject({ refusal: '', incomplete: 3 })
    expect([swarms.swarms, swarms.peers]).toEqual([1, 3])
  })

  it('takes a client out of all of its swarms, and of no other', () => {
    const swarms = swarmsOf()
    const [one, two] = [swarms.openClient(someone), swarms.openClient(someone)]
    for (let torrent = 1; torrent <= 5; torrent++)
      for (const host of [one, two]) say(swarms, { torrent, kind: 2, host })
    expect(say(swarms, { torrent: 3, kind: 2, host: one }).peers).toEqual([String(two)])
    expect([swarms.swarmsOf(one), swarms.isMember(new Int32Array(5).fill(3), one)]).toEqual([5, true])
    say(swarms, { torrent: 3, kind: 2, host: one, event: 'stopped' })
    expect(swarms.swarmsOf(one)).toBe(4)
    swarms.closeClient(one)
    expect([swarms.peers, swarms.swarms, swarms.swarmsOf(two)]).toEqual([5, 5, 5])
    swarms.closeClient(two)
    expect([swarms.peers, swarms.swarms]).toEqual([0, 0])
  })

  it.each([
    [40, 12],
    [900, 12],
  ])('of %i peers tells %i, none of them twice and none less often than others', (size, wanted) => {
    const swarms = swarmsOf()
    for (let host = 1; host <= size; host++) say(swarms, { host, left: host % 2 })
    const told = new Map<string, number>()
    const rounds = 15 * size
    for (let round = 0; round < rounds; round++) {
      const { peers } = say(swarms, { host: 1, wanted })
      assert.equal(new Set(peers).size, wanted)
      for (const peer of peers) told.set(peer, (told.get(peer) ?? 0) + 1)
    }
    expect(told.size).toBe(size - 1)
    // Each is expected 15 * 12 times; ten standard deviations either way.
    for (const times of told.values()) expect(Math.abs(times - (rounds * wanted) / (size - 1))).toBeLessThan(135)
  })

  it('agrees with plain maps through any mixture of announces, stops and expiries', () => {
    const swarms = swarmsOf({ peers: 5000 })
    const models = Array.from({ length: 8 }, () => new Map<string, { complete: boolean; seen: number; kind: number }>())
    const clients = Array.from({ length: 6 }, () => swarms.openClient(someone))
    const pick = (below: number): number => Math.floor(Math.random() * below)
    for (let step = 0; step < 30_000; step++) {
      now += pick(200)
      while (swarms.expire(50));
      const kind = pick(3) as 0 | 1 | 2
      const torrent = pick(8)
      const model = models[torrent] as (typeof models)[0]
      const host = kind === 2 ? (clients[pick(6)] as number) : pick(30)
      const event = (['update', 'started', 'stopped', 'completed'] as const)[pick(4)] ?? 'update'
      const left = event === 'completed' ? 0 : pick(2)
      const key = `${kind} ${host}`
      const { complete, incomplete } = say(swarms, { torrent, kind, host, event, left })
      if (event === 'stopped') model.delete(key)
      else model.set(key, { complete: left === 0, seen: now, kind })
      let seeds = 0
      // Whoever is about to expire may be there still.
      let doubtful = 0
      for (const [name, one] of model) {
        const age = now - one.seen - (one.kind === 2 ? 0 : 50_000)
        if (age > 53_000) model.delete(name)
        else {
          if (one.complete) seeds++
          if (age > 49_000) doubtful++
        }
      }
      assert.ok(Math.abs(complete - seeds) <= doubtful)
      assert.ok(Math.abs(complete + incomplete - model.size) <= doubtful)
    }
    expect(swarms.swarms).toBeGreaterThan(0)
  })

  it('comes back from a file with all that has an address, as old as it is by then', () => {
    const before = swarmsOf()
    say(before, { host: 1 })
    say(before, { host: 1, event: 'completed', left: 0 })
    say(before, { kind: 2, host: before.openClient(someone) })
    now = 60_000
    say(before, { host: 2, event: 'paused' })
    say(before, { torrent: 2, kind: 1, host: 7, port: 443 })
    const file = encodePeers(before, 1e12)
    const after = swarmsOf()
    say(after, { torrent: 3 })
    expect(decodePeers(file, after, 1e12 + 30_000, 100)).toBe(3)
    expect(counts(after)).toEqual({ complete: 1, incomplete: 1, downloaded: 1, downloaders: 0 })
    expect(say(after, { torrent: 2, kind: 1, host: 8 }).peers).toEqual([`fd00${'0'.repeat(27)}701bb`])
    expect(after.peers).toBe(5)
    // The first of them was heard of 90 s ago, and two 30 s ago.
    now = 12_000
    while (after.expire(10));
    expect(counts(after)).toMatchObject({ complete: 0, incomplete: 1 })
    now = 60_000
    while (after.expire(10));
    expect(after.peers).toBe(4)
    now = 75_000
    while (after.expire(10));
    expect(after.peers).toBe(2)
    expect(decodePeers(file, swarmsOf(), 1e12 + 99_000, 100)).toBe(3)
  })

  it('takes no file that is damaged in one byte', () => {
    const before = swarmsOf()
    say(before, {})
    const file = encodePeers(before, 1e12)
    for (let at = 0; at < file.length; at += 3) {
      const damaged = Buffer.from(file)
      damaged[at] = (damaged[at] ?? 0) ^ 4
      const after = swarmsOf()
      expect([decodePeers(damaged, after, 1e12, 100), after.peers]).toEqual([undefined, 0])
    }
    expect(decodePeers(file.subarray(0, 40), swarmsOf(), 1e12, 100)).toBeUndefined()
  })
})
