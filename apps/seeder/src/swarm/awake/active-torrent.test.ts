import { EventEmitter } from 'node:events'
import type Wire from 'bittorrent-protocol'
import { expect, test } from 'vitest'
import type { Torrent } from 'webtorrent'
import { ActiveTorrent } from './active-torrent.ts'
import { Claims } from '../peers/claims.ts'
import type { HeldTorrent } from './held-torrent.ts'
import { PeerLink } from '../peers/peer-link.ts'

const limits = { maxConnsPerItem: 55, idleAfter: 120_000 }

let made = 0

function setUp(claims = new Claims(() => 20)) {
  const clock = { time: 10 }
  const active = new ActiveTorrent(`item ${made++}`, {} as Torrent, {} as HeldTorrent, clock.time)
  const join = (remoteAddress: string): void => {
    const wire = Object.assign(new EventEmitter(), { type: 'tcpIncoming', remoteAddress }) as unknown as Wire
    active.join(new PeerLink(wire, () => clock.time), claims)
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
    active.join(link, claims)
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
    const again = Array.from({ length: 55 }, (_, index) => come(from(index)))
    expect(again.filter((link) => link !== undefined)).toEqual([])
    expect(honest?.wire.destroyed).toBe(false)
    expect(idle[1]?.wire.destroyed).toBe(false)
  }
})

test('what one address takes keeps a tenth of all items awake, as long as it is there', () => {
  const claims = new Claims(() => 20)
  const items = Array.from({ length: 4 }, () => setUp(claims))
  const links = items.map(({ come }) => come('192.0.2.1'))
  const take = () => links.forEach((link) => link?.wire.emit('upload', 1))
  const awake = () => items.map(({ active }) => active.tookAt > 0)
  take()
  expect(awake()).toEqual([true, true, false, false])
  expect(items.map(({ active }) => active.usedAt)).toEqual([10, 10, 10, 10])
  items[2]?.come('192.0.2.2')?.wire.emit('upload', 1)
  items[3]?.come('127.0.0.1')?.wire.emit('upload', 1)
  expect(awake()).toEqual([true, true, true, true])
  items[0]?.come('192.0.2.1')?.wire.emit('upload', 1)
  links[0]?.close()
  take()
  expect(awake()).toEqual([true, true, true, true])
  links[1]?.close()
  expect(awake()).toEqual([true, false, true, true])
  expect(claims.take('192.0.2.1', 'another')).toBe(true)
  expect(claims.take('192.0.2.1', 'too many')).toBe(false)
})
