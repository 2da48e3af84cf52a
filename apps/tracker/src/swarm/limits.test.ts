import { expect, it } from 'vitest'
import { Announce, Answer, Swarms } from './index.ts'

const ttl = { address: 100, socket: 50 }
const { random } = Math

it('lets more into a swarm when its limit rises, and no more when it falls', () => {
  const limits = { swarms: 20, peersPerSwarm: 3, peers: 20 }
  const swarms = new Swarms({ limits, ttl, now: () => 0, random, secret: random })
  const word = new Announce()
  const answer = new Answer()
  word.port = 1
  const fill = (hosts: number): number => {
    for (let host = 1; host <= hosts; host++) {
      word.address[0] = host
      swarms.announce(word, answer)
    }
    return swarms.peers
  }
  expect(fill(5)).toBe(3)
  limits.peersPerSwarm = 6
  expect(fill(9)).toBe(6)
  limits.peersPerSwarm = 2
  expect(fill(9)).toBe(6)
})

it('keeps 300,000 swarms of one peer apart, and as many when more come', () => {
  let now = 0
  const limits = { swarms: 300_000, peersPerSwarm: 10, peers: 400_000 }
  const swarms = new Swarms({ limits, ttl, now: () => now, random, secret: random })
  const word = new Announce()
  const answer = new Answer()
  word.port = 1
  for (let n = 0; n < 300_000; n++) {
    word.infoHash[3] = n
    swarms.announce(word, answer)
  }
  expect([swarms.swarms, swarms.peers, answer.incomplete]).toEqual([300_000, 300_000, 1])
  word.infoHash[3] = 300_000
  swarms.announce(word, answer)
  expect([answer.refusal, swarms.swarms, swarms.peers]).toEqual(['', 300_000, 300_000])
  now = 200_000
  while (swarms.expire(10_000));
  expect([swarms.swarms, swarms.peers]).toEqual([0, 0])
})

it.each([
  ['swarms', { swarms: 50, peersPerSwarm: 10, peers: 1000 }],
  ['peers', { swarms: 1000, peersPerSwarm: 10, peers: 100 }],
])('takes no new torrent when it is full of %s that find each other', (_what, limits) => {
  const swarms = new Swarms({ limits, ttl, now: () => 0, random, secret: random })
  const word = new Announce()
  const answer = new Answer()
  word.port = 1
  for (let n = 0; n < 50; n++) {
    word.infoHash[3] = n
    for (word.address[0] = 1; (word.address[0] ?? 0) <= 2; word.address[0]++) swarms.announce(word, answer)
  }
  word.infoHash[3] = 50
  swarms.announce(word, answer)
  expect(answer.refusal).toContain('full')
  expect([swarms.swarms, swarms.peers]).toEqual([50, 100])
})
