import { EventEmitter } from 'node:events'
import type Wire from 'bittorrent-protocol'
import { expect, test } from 'vitest'
import type { Torrent } from 'webtorrent'
import { ActiveTorrent } from './active-torrent.ts'
import type { HeldTorrent } from './held-torrent.ts'
import { PeerLink } from './peer-link.ts'

function setUp() {
  const clock = { time: 10 }
  const active = new ActiveTorrent('aa', {} as Torrent, {} as HeldTorrent, clock.time)
  const join = (remoteAddress: string): void => {
    const wire = Object.assign(new EventEmitter(), { type: 'tcpIncoming', remoteAddress }) as unknown as Wire
    active.join(new PeerLink(wire, () => clock.time))
  }
  return { active, clock, join }
}

test('a peer counts as new when it comes for the first time, and not when it comes again', () => {
  const { active, clock, join } = setUp()
  expect(active.arrivedAt).toBe(10)
  clock.time = 20
  join('192.0.2.1')
  clock.time = 30
  join('192.0.2.1')
  expect(active.arrivedAt).toBe(20)
  join('192.0.2.2')
  expect(active.arrivedAt).toBe(30)
})

test('newcomers from any number of addresses are told apart up to some number', () => {
  const { active, clock, join } = setUp()
  for (; clock.time < 1_000; clock.time++) join(`192.0.${clock.time >> 8}.${clock.time & 255}`)
  expect(active.arrivedAt).toBeLessThan(100)
})
