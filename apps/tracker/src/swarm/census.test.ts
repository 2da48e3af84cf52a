import { expect, it } from 'vitest'
import { Announce, Answer, happened, type Host, type Kind, kinds, Swarms } from './index.ts'

const someone: Host = { kind: kinds.ipv4, high: 1, low: 0, isMember: false }

const swarmsOf = (torrents: number): Swarms =>
  new Swarms({
    limits: { swarms: torrents, peersPerSwarm: 100, peers: 1000 },
    ttl: { address: 100, socket: 100 },
    now: () => 0,
    random: () => 0,
    secret: () => 0.5,
  })

const word = new Announce()
const answer = new Answer()
const say = (
  swarms: Swarms,
  torrent: number,
  peer: number,
  left = 1,
  event: number = happened.update,
  kind: Kind = 0,
) => {
  word.infoHash.set([0, 0, 0, 0xabc, torrent])
  word.kind = kind
  word.address[0] = peer
  word.port = kind === kinds.socket ? 0 : 1
  word.left = left
  word.event = event
  word.wanted = 0
  swarms.announce(word, answer)
}

it('counts peers by kind and by what they do, whatever happens to them', () => {
  const swarms = swarmsOf(10)
  const counted = () =>
    [kinds.ipv4, kinds.ipv6, kinds.socket].map((kind) => [swarms.peersOf(kind, false), swarms.peersOf(kind, true)])
  say(swarms, 1, 1)
  say(swarms, 1, 2)
  say(swarms, 2, 1, 0)
  say(swarms, 2, 3, 5, happened.paused)
  say(swarms, 2, 1, 5, happened.update, kinds.ipv6)
  const client = swarms.openClient(someone)
  say(swarms, 2, client, 0, happened.update, kinds.socket)
  const before = [
    [2, 2],
    [0, 1],
    [1, 0],
  ]
  expect(counted()).toEqual(before)
  say(swarms, 1, 1, 0, happened.completed)
  expect(counted()[0]).toEqual([3, 1])
  say(swarms, 1, 1, 0, happened.stopped)
  swarms.closeClient(client)
  expect(counted()).toEqual([
    [2, 1],
    [0, 1],
    [0, 0],
  ])
})

it('names the largest swarms of those it looks at, and looks at others next', () => {
  const swarms = swarmsOf(8)
  for (let torrent = 0; torrent < 8; torrent++)
    for (let peer = 0; peer <= (torrent * 3) % 8; peer++) say(swarms, torrent, peer, peer === 0 ? 0 : 1)
  const named = (count: number, look: number) =>
    swarms.largest(count, look).map(({ infoHash, complete, incomplete }) => {
      expect(infoHash).toMatch(/^0{29}abc0{7}\d$/)
      return [Number(infoHash.at(-1)), complete, incomplete]
    })
  expect(named(3, 1000)).toEqual([
    [5, 1, 7],
    [2, 1, 6],
    [7, 1, 5],
  ])
  expect(
    [...named(1, 4), ...named(1, 4)].map(([torrent]) => torrent).toSorted((a, b) => Number(a) - Number(b)),
  ).toEqual([2, 5])
  expect(swarmsOf(3).largest(20, 100)).toEqual([])
})
