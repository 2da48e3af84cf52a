import { EventEmitter } from 'node:events'
import type Wire from 'bittorrent-protocol'
import { expect, test } from 'vitest'
import type { Torrent } from 'webtorrent'
import { ActiveTorrent } from './active-torrent.ts'
import type { HeldTorrent } from './held-torrent.ts'
import { PeerLink } from './peer-link.ts'

const limits = { maxConnsPerItem: 55, idleAfter: 120_000 }

function setUp() {
  const clock = { time: 10 }
  const active = new ActiveTorrent('aa', {} as Torrent, {} as HeldTorrent, clock.time)
  const join = (remoteAddress: string): void => {
    const wire = Object.assign(new EventEmitter(), { type: 'tcpIncoming', remoteAddress }) as unknown as Wire
    active.join(new PeerLink(wire, () => clock.time))
  }
  /** As a peer that came: undefined when it may not stay. */
  const come = (remoteAddress: string, within = limits): PeerLink | undefined => {
    const wire = Object.assign(new EventEmitter(), {
      type: 'tcpIncoming',
      remoteAddress,
      destroyed: false,
      destroy: () => {
        wire.destroyed = true
        wire.emit('close')
      },
    })
    const link = new PeerLink(wire as unknown as Wire, () => clock.time)
    if (!active.admits(link, within, clock.time)) return undefined
    active.join(link)
    return link
  }
  return { active, clock, join, come }
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

test('one address gets a quarter of the connections of an item, two at least', () => {
  const { active, clock, come } = setUp()
  const taken = Array.from({ length: 20 }, () => come('192.0.2.1'))
  expect(taken.filter((link) => link !== undefined)).toHaveLength(14)
  expect(come('192.0.2.2')).toBeDefined()
  taken[0]?.close()
  expect(come('192.0.2.1')).toBeDefined()
  expect(come('192.0.2.1')).toBeUndefined()
  clock.time += limits.idleAfter
  expect(come('192.0.2.1')).toBeDefined()
  const few = { ...limits, maxConnsPerItem: 3 }
  const other = setUp()
  expect([1, 2, 3].map(() => other.come('192.0.2.1', few) !== undefined)).toEqual([true, true, false])
  expect(active.admits({ origin: undefined, group: undefined }, limits, clock.time)).toBe(true)
})

test('who fills an item from one loopback address or from many makes room for others, and gets it back from nobody', () => {
  for (const from of [() => '127.0.0.1', (index: number) => `192.0.2.${index % 5}`]) {
    const { clock, come } = setUp()
    const idle = Array.from({ length: 55 }, (_, index) => come(from(index)))
    expect(idle).not.toContain(undefined)
    expect(come('198.51.100.1')).toBeUndefined()
    idle[1]?.wire.emit('upload', 16_384)
    clock.time += 5_000
    const honest = come('198.51.100.1')
    expect(honest).toBeDefined()
    expect(idle.map((link) => link?.wire.destroyed)).toEqual([true, ...Array<boolean>(54).fill(false)])
    clock.time += 5_000
    for (let index = 0; index < 55; index++) come(from(index))
    expect(honest?.wire.destroyed).toBe(false)
    expect(idle[1]?.wire.destroyed).toBe(false)
  }
})
