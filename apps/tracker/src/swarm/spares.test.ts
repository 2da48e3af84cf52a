import { describe, expect, it } from 'vitest'
import { Announce, Answer, type Counts, type Host, kinds, Swarms } from './index.ts'

const member = 0x7f00_0001
const flood = 0x0900_0001

const build = (limits: { swarms: number; peers: number; peersPerSwarm: number }) => {
  let now = 0
  const swarms = new Swarms({
    limits,
    isMember: (_kind, address) => address[0] === member,
    ttl: { address: 100, socket: 100 },
    now: () => now++,
    random: Math.random,
    secret: Math.random,
  })
  const word = new Announce()
  const answer = new Answer()
  const say = (torrent: number, address: number, port = 1, kind: Announce['kind'] = kinds.ipv4): string => {
    word.infoHash[3] = torrent
    word.kind = kind
    word.address.fill(0)
    word.address[0] = address
    word.port = kind === kinds.socket ? 0 : port
    swarms.announce(word, answer)
    return answer.refusal
  }
  const count = (torrent: number): number => {
    const into: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
    swarms.counts(Int32Array.of(0, 0, 0, torrent, 0), into)
    return into.complete + into.incomplete
  }
  return { swarms, say, count }
}

describe.each([
  ['swarms', { swarms: 1000, peers: 4000, peersPerSwarm: 100 }],
  ['peers', { swarms: 4000, peers: 1000, peersPerSwarm: 100 }],
])('one address that fills the table of %s', (_what, limits) => {
  it.each([
    ['with one peer a torrent', 1],
    ['with two', 2],
    ['with a hundred', 100],
  ])('%s makes way for others, and never they for it', (_how, ports) => {
    const come = (torrent: number): void => {
      for (let port = 1; port <= ports; port++) say(torrent, flood, port)
    }
    const { swarms, say, count } = build(limits)
    for (const host of [1, 2]) say(1, host)
    say(2, member)
    say(3, swarms.openClient({ kind: kinds.ipv4, high: member, low: 0, isMember: true }), 0, kinds.socket)
    for (let torrent = 10; torrent < 6_000; torrent += ports) come(torrent)
    expect(Math.max(swarms.swarms / limits.swarms, swarms.peers / limits.peers)).toBe(1)
    expect([count(1), count(2), count(3)]).toEqual([2, 1, 1])
    // A new torrent of others finds room, and its second peer.
    for (let torrent = 4; torrent < 8; torrent++) {
      for (const host of [1, 2]) expect(say(torrent, host)).toBe('')
      expect(count(torrent)).toBe(2)
    }
    for (let torrent = 6_000; torrent < 9_000; torrent += ports) come(torrent)
    expect([1, 4, 5, 6, 7].map(count)).toEqual([2, 2, 2, 2, 2])
    let sum = 0
    for (let torrent = 0; torrent < 9_000; torrent++) sum += count(torrent)
    expect([swarms.peers, swarms.peersOf(kinds.ipv4, true) + 1]).toEqual([sum, sum])
  })
})

it('clients behind sockets of one address are as one, and an address family or a /64 of its own as others', () => {
  const { swarms, say, count } = build({ swarms: 3, peers: 100, peersPerSwarm: 100 })
  const host: Host = { kind: kinds.ipv6, high: 5, low: 0, isMember: false }
  const clients = [host, { ...host }, { ...host, low: 6 }].map((one) => swarms.openClient(one))
  for (const client of clients.slice(0, 2)) say(1, client, 0, kinds.socket)
  for (const client of clients.slice(1)) say(2, client, 0, kinds.socket)
  for (const kind of [kinds.ipv4, kinds.ipv6]) say(3, 5, 1, kind)
  // Eight looks in three places may miss one of them.
  for (let tries = 0; tries < 20 && count(4) === 0; tries++) say(4, 1)
  expect([1, 2, 3, 4].map(count)).toEqual([0, 2, 2, 1])
})
