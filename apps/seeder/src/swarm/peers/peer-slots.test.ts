import { EventEmitter } from 'node:events'
import type Wire from 'bittorrent-protocol'
import { expect, test } from 'vitest'
import { originOf } from './origin.ts'
import { PeerLink } from './peer-link.ts'
import { PeerSlots } from './peer-slots.ts'

/** Connections as far as places are concerned. */
function setUp(maxConns = 100, idleAfter = 1_000) {
  const clock = { now: 0 }
  const slots = new PeerSlots({ maxConns, idleAfter }, () => clock.now)
  const closed: PeerLink[] = []
  const connect = (remoteAddress: string, type = 'tcpIncoming') => {
    const wire = Object.assign(new EventEmitter(), {
      type,
      remoteAddress,
      destroy: () => {
        closed.push(link)
        wire.emit('close')
      },
    })
    const link: PeerLink = new PeerLink(wire as unknown as Wire, () => clock.now)
    return { link, taken: slots.take(link) }
  }
  return { clock, slots, closed, connect }
}

const address = (index: number): string => `192.0.2.${index}`

test('one address gets a tenth of all places, and they are free again when it goes', () => {
  const { slots, connect } = setUp(100)
  const links = Array.from({ length: 11 }, () => connect(address(1)))
  expect(links.map(({ taken }) => taken)).toEqual([...Array<boolean>(10).fill(true), false])
  expect(slots.mayCome(address(1))).toBe(false)
  expect(slots.refused).toBe(2)
  expect(connect(address(2)).taken).toBe(true)
  links[0]?.link.close()
  expect(connect(address(1)).taken).toBe(true)
  expect(slots.size).toBe(11)
})

test('when all places are taken, one that is idle makes room and one in use does not', () => {
  const { clock, slots, closed, connect } = setUp(8)
  const [idle, used] = [connect(address(1)), connect(address(2))]
  for (let index = 3; index <= 8; index++) connect(address(index))
  expect(connect(address(9)).taken).toBe(false)
  clock.now = 1_500
  used.link.wire.emit('upload', 16_384)
  expect(connect(address(9)).taken).toBe(true)
  expect(closed).toEqual([idle.link])
  expect(slots.size).toBe(8)
})

test('who holds most places and never asked for anything makes room, after a while to ask', () => {
  const { clock, slots, closed, connect } = setUp(20, 100_000)
  const idle = Array.from({ length: 16 }, (_, index) => connect(address(index % 2)).link)
  const [first, last] = [connect(address(2)).link, connect(address(3)).link]
  idle[0]?.wire.emit('upload', 1)
  for (let index = 4; index < 6; index++) connect(address(index))
  expect(connect(address(9)).taken).toBe(false)
  expect(slots.refused).toBe(1)
  clock.now = 5_000
  expect(connect(address(9)).taken).toBe(true)
  expect(connect(address(2)).taken).toBe(true)
  expect(closed).toHaveLength(2)
  expect(idle.slice(1)).toEqual(expect.arrayContaining(closed))
  expect(closed).not.toContain(first)
  expect(closed).not.toContain(last)
  slots.refuse()
  expect(slots.refused).toBe(2)
})

test('a peer that was called has a place in any case', () => {
  const { slots, connect } = setUp(2)
  expect([connect(address(1)).taken, connect(address(2)).taken, connect(address(3)).taken]).toEqual([true, true, false])
  expect(connect(address(4), 'tcpOutgoing').taken).toBe(true)
  expect(slots.size).toBe(3)
  expect(connect('', 'webrtc').taken).toBe(true)
  expect(slots.size).toBe(3)
})

test('a lower limit closes the idlest at once', () => {
  const { clock, slots, closed, connect } = setUp(10)
  const links = Array.from({ length: 6 }, (_, index) => {
    clock.now = index
    return connect(address(index)).link
  })
  clock.now = 10
  links[0]?.wire.emit('download', 1)
  slots.limit({ maxConns: 3, idleAfter: 1_000 })
  expect(closed).toEqual([links[1], links[2], links[3]])
  expect(slots.size).toBe(3)
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2'],
  ['2001:db8:1:2::1', '8193:3512:1:2'],
  ['127.0.0.1', undefined],
  ['127.9.9.9', undefined],
  ['::1', undefined],
  ['::ffff:127.0.0.1', undefined],
  ['nonsense', 'nonsense'],
])('a connection from %s is charged to %s', (from, origin) => {
  expect(originOf(from)).toBe(origin)
})
