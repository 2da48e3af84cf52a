import { expect, it } from 'vitest'
import { Announce, Answer, decodePeers, encodePeers, type Host, kinds, Swarms } from '../swarm/index.ts'
import { Manners } from './manners.ts'

let now = 0
const member = 7

const build = (limits: { requestsPerAddress: number; banSeconds: number }) => {
  now = 0
  const { random } = Math
  const isMember = (_kind: number, address: Int32Array): boolean => address[0] === member
  const manners = new Manners({ limits, isMember, now: () => now, clock: () => now, random })
  const swarms = new Swarms({
    limits: { swarms: 10_000, peers: 10_000, peersPerSwarm: 100 },
    isMember,
    mayOpen: (kind, address) => manners.mayOpen(kind, address),
    ttl: { address: 10_000, socket: 10_000 },
    now: () => now,
    random,
    secret: random,
  })
  const word = new Announce()
  const answer = new Answer()
  word.port = 1
  /** @returns how many it could open */
  const open = (from: number, count: number, kind: Announce['kind'] = kinds.ipv4, address = 1): number => {
    word.kind = kind
    word.port = kind === kinds.socket ? 0 : 1
    word.address[0] = address
    let opened = 0
    for (let torrent = from; torrent < from + count; torrent++) {
      word.infoHash[0] = torrent
      swarms.announce(word, answer)
      if (answer.refusal === '') opened++
    }
    return opened
  }
  return { swarms, open, answer }
}

const limits = { requestsPerAddress: 200, banSeconds: 600 }
const host: Host = { kind: kinds.ipv4, high: 1, low: 0, isMember: false }

it('lets an address open 1,000 torrents at once and ten a second, and be in others as it likes', () => {
  const { swarms, open, answer } = build(limits)
  expect(open(0, 1500)).toBe(1000)
  expect(answer.refusal).toContain('too many new torrents')
  expect([swarms.swarms, swarms.peers]).toEqual([1000, 1000])
  now = 3000
  // Its sockets are counted with it; those it knows already cost nothing.
  const client = swarms.openClient(host)
  expect(open(2000, 100, kinds.socket, client)).toBe(30)
  expect([open(0, 1000), open(0, 1000, kinds.socket, client)]).toEqual([1000, 1000])
  expect(open(3000, 1500, kinds.ipv4, 2)).toBe(1000)
  expect(open(0, 500, kinds.ipv4, 3)).toBe(500)
})

it('counts no member, nothing that a restart brings back, and nobody without a limit', () => {
  const { swarms, open } = build(limits)
  const own = swarms.openClient({ ...host, isMember: true })
  expect([open(0, 1500, kinds.ipv4, member), open(2000, 1500, kinds.socket, own)]).toEqual([1500, 1500])
  expect(open(4000, 900)).toBe(900)
  now = 200_000
  expect(open(5000, 900)).toBe(900)
  const file = encodePeers(swarms, 1e12)
  const again = build(limits)
  expect(decodePeers(file, again.swarms, 1e12, 10_000)).toBe(3300)
  expect(again.swarms.peers).toBe(3300)
  expect(build({ ...limits, requestsPerAddress: 0 }).open(0, 5000)).toBe(5000)
})
