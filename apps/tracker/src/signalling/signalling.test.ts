import { beforeEach, expect, it } from 'vitest'
import { kinds, Swarms } from '../swarm/index.ts'
import { parseWebSocket } from '../wire/index.ts'
import { Signalling } from './signalling.ts'
import { Speaker } from './speaker.ts'

const limits = { swarms: 100, peers: 100, peersPerSwarm: 100, swarmsPerMember: 20, swarmsPerSocket: 10 }

class Heard extends Speaker {
  readonly messages: Record<string, unknown>[] = []

  override send(text: string): void {
    this.messages.push(JSON.parse(text) as Record<string, unknown>)
  }
}

let signalling: Signalling
let strays = 0
let chance = 0.5

beforeEach(() => {
  strays = 0
  chance = 0.5
  const swarms = new Swarms({
    limits,
    ttl: { address: 100, socket: 100 },
    now: () => 0,
    random: Math.random,
    secret: Math.random,
  })
  signalling = new Signalling({
    swarms,
    entrance: {
      announce: (word, answer) => swarms.announce(word, answer),
      counts: (infoHash, _key, into) => swarms.counts(infoHash, into),
    },
    limits,
    interval: 120,
    random: () => chance,
    secret: Math.random,
    onStray: () => strays++,
  })
})

const speaker = (high: number, isMember = false): Heard =>
  new Heard({ kind: kinds.ipv4, high, low: 0, isMember, key: 0 })

const say = (from: Speaker, peer: string, torrent: number, more: object = {}): void => {
  const bytes = Buffer.from(
    JSON.stringify({
      action: 'announce',
      info_hash: String(torrent).padStart(20, '0'),
      peer_id: peer.padEnd(20, '.'),
      left: 1,
      event: 'started',
      offers: [],
      ...more,
    }),
  )
  signalling.message(from, parseWebSocket(bytes, 0, bytes.length))
}

it.each([
  [false, 10],
  [true, 20],
])('clients behind one connection share its limit of torrents (member: %s)', (isMember, most) => {
  const one = speaker(1, isMember)
  for (let torrent = 0; torrent < most; torrent++) say(one, `peer ${torrent % 3}`, torrent)
  for (const peer of ['peer 0', 'peer 1', 'another'])
    expect(() => say(one, peer, 99)).toThrow(`one connection may be in ${most} torrents at most`)
  // Where it is already it goes on, and others have their own share.
  say(one, 'peer 0', 0)
  say(speaker(2), 'other', 99)
})

it('a peer id is taken over from the same address only, and never to stop it', () => {
  const [victim, thief, again] = [speaker(1), speaker(2), speaker(1)]
  say(victim, 'victim', 1)
  expect(() => say(thief, 'victim', 1)).toThrow('in use on another connection')
  expect(() => say(again, 'victim', 1, { event: 'stopped' })).toThrow('in use on another connection')
  say(again, 'victim', 1)
  signalling.leave(victim)
  const other = speaker(3)
  say(other, 'other', 1, { offers: [{ offer: { type: 'offer', sdp: 'x' }, offer_id: 'o' }] })
  expect(other.messages).toMatchObject([{ incomplete: 2 }])
  expect(again.messages.at(-1)).toMatchObject({ offer: { sdp: 'x' } })
})

it('an answer reaches who offered once, and only from who was given the offer', () => {
  const [first, second, third] = [speaker(1), speaker(2), speaker(3)]
  say(first, 'first', 1)
  say(second, 'second', 1, { offers: [{ offer: { type: 'offer', sdp: 'x' }, offer_id: 'o' }] })
  const answer = { answer: { type: 'answer', sdp: 'y' }, to_peer_id: 'second'.padEnd(20, '.'), offer_id: 'o' }
  say(third, 'third', 1, answer)
  expect([strays, second.messages.length]).toEqual([1, 1])
  say(first, 'first', 1, { ...answer, offer_id: 'p' })
  expect([strays, second.messages.length]).toEqual([2, 1])
  say(first, 'first', 1, answer)
  expect(second.messages.at(-1)).toMatchObject({ answer: { sdp: 'y' }, peer_id: 'first'.padEnd(20, '.') })
  say(first, 'first', 1, answer)
  expect([strays, second.messages.length]).toEqual([3, 2])
})

it('an answer names its offer in any spelling, and finds who offered after a reconnect', () => {
  const [first, second, again] = [speaker(1), speaker(2), speaker(2)]
  say(first, 'first', 1)
  const offers = [{ offer: { type: 'offer', sdp: 'x' }, offer_id: 'a"/\u00e9\u0001' }]
  say(second, 'second', 1, { offers })
  say(again, 'second', 1)
  const to = 'second'.padEnd(20, '.')
  const spelled =
    `{"action":"announce","info_hash":"${'1'.padStart(20, '0')}","peer_id":"${'first'.padEnd(20, '.')}","to_peer_id":"${to}",` +
    '"answer":{"type":"answer","sdp":"y"},"offer_id":"\\u0061\\"\\/\\u00e9\\u0001"}'
  signalling.message(first, parseWebSocket(Buffer.from(spelled)))
  expect([strays, second.messages.length]).toEqual([0, 1])
  expect(again.messages.at(-1)).toMatchObject({ answer: { sdp: 'y' } })
})

it('intervals differ by a tenth, so that those who came together do not come together for ever', () => {
  const one = speaker(1)
  const intervals = [0, 0.5, 0.999].map((now) => {
    chance = now
    say(one, 'a', 1)
    return one.messages.at(-1)?.['interval']
  })
  expect(intervals).toEqual([120, 114, 108])
})
