import { HolderIndex, type Heartbeat } from '@eldernode/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { Nearness } from '../members/nearness.ts'
import type { Peer } from '../port.ts'
import { Holders } from './holders.ts'

const infoHash = 'ab'.repeat(20)
const other = 'ab'.repeat(19) + '00'

let egress: Egress
let peers: Peer[]
let now: number
let nearness: Nearness
let condition: 'damaged' | undefined
let holders: Holders

const peer = (id: string, port: number): Peer => ({
  id,
  lastSeen: 0,
  suspected: false,
  heartbeat: {
    endpoints: { http: `http://127.0.0.1:${port}/`, bittorrent: `127.0.0.1:${port + 1000}` },
    state: 'active',
  } as Heartbeat,
})

const asked = (item = infoHash): string[] =>
  holders.sources(item, 'publisher').holders.map((base) => new URL(base).port)

beforeEach(() => {
  ;[now, condition, nearness] = [1_000, undefined, new Nearness()]
  egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  peers = [peer('self', 1), peer('publisher', 2), peer('near', 3), peer('far', 4), peer('stranger', 5)]
  const index = new HolderIndex()
  const held = { held: [other, infoHash], releasing: [], refused: [] }
  for (const id of ['self', 'near', 'far']) index.set(id, 'ab', held, false)
  holders = new Holders({
    self: 'self',
    index,
    roster: { peers: () => peers, get: (id) => peers.find((one) => one.id === id) },
    library: { condition: () => condition },
    egress,
    nearness,
    now: () => now,
  })
})

afterEach(() => egress.close())

test('the nearest holder is asked first, as the time of its answers tells', () => {
  holders.measured('http://127.0.0.1:4', 300)
  holders.measured('http://127.0.0.1:3', 10)
  holders.measured('http://127.0.0.1:2', 40)
  holders.measured('http://127.0.0.1:9', 1)
  expect(nearness.of('far')).toBe(300)
  expect(asked()).toEqual(['3', '2', '4'])
  expect(holders.sources(infoHash, 'publisher').peers).toEqual(['127.0.0.1:1003', '127.0.0.1:1002', '127.0.0.1:1004'])
})

test.each(['127.0.0.1:1003', 'http://127.0.0.1:3'])(
  'who gave wrong bytes as %s is asked for the item neither way for an hour, and for others all the time',
  (source) => {
    holders.ban(infoHash, source)
    expect(asked().toSorted()).toEqual(['2', '4'])
    expect(holders.sources(infoHash, 'publisher').peers).not.toContain('127.0.0.1:1003')
    expect(asked(other).toSorted()).toEqual(['2', '3', '4'])
    condition = 'damaged'
    expect(asked().toSorted()).toEqual(['2', '4', '5'])
    now += 3_600_000
    expect(asked().toSorted()).toEqual(['2', '3', '4', '5'])
  },
)

test('an address that is nobody’s bans nobody', () => {
  holders.ban(infoHash, '127.0.0.1:9')
  expect(asked()).toHaveLength(3)
})
