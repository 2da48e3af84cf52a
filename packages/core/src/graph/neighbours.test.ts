import { expect, test } from 'vitest'
import { heartbeatOf } from '../testing/bodies.ts'
import { Neighbours } from './neighbours.ts'
import type { Accepted } from './port.ts'
import type { Heartbeat } from '../presence/schema.ts'

const now = 1_000_000
const beat = (pub: string, gun: string | undefined = `wss://${pub}.example/gun`, ts = now): Accepted<Heartbeat> => ({
  kind: 'hb',
  pub,
  ts,
  soul: '',
  key: 'hb',
  hidden: false,
  body: heartbeatOf(gun),
})
const seeded = (): (() => number) => {
  let state = 1
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
}

test('chooses the next on the ring and two others, and keeps them', () => {
  const beats = 'abcdefghij'.split('').map((pub) => beat(pub))
  const neighbours = new Neighbours('d', seeded())
  const chosen = neighbours.choose(beats, now).map(({ node }) => node)
  expect(chosen[0]).toBe('e')
  expect(new Set(chosen).size).toBe(3)
  expect(chosen).not.toContain('d')
  for (let i = 0; i < 20; i++) expect(neighbours.choose(beats, now).map(({ node }) => node)).toEqual(chosen)
})

test('the ring closes, and the dead are replaced', () => {
  const neighbours = new Neighbours('z', seeded())
  const beats = ['a', 'b', 'c', 'd'].map((pub) => beat(pub))
  expect(neighbours.choose(beats, now)[0]).toEqual({ url: 'wss://a.example/gun', foreign: true, node: 'a' })
  const later = [beat('a'), ...['b', 'c', 'd'].map((pub) => beat(pub, undefined, now + 60_000))]
  const alive = neighbours.choose(later, now + 60_000).map(({ node }) => node)
  expect(alive.toSorted((a, b) => (a! < b! ? -1 : 1))).toEqual(['b', 'c', 'd'])
})

test('alone, or with nobody reachable, there is nobody to dial', () => {
  const neighbours = new Neighbours('a', seeded())
  expect(neighbours.choose([], now)).toEqual([])
  expect(neighbours.choose([beat('a')], now)).toEqual([])
  const nowhere = { ...beat('b'), body: heartbeatOf() }
  expect(neighbours.choose([nowhere], now)).toEqual([])
})

test.each(['wss://b.example/admin', 'wss://b.example/gun?x=1', 'wss://b.example/', 'wss://b.example/gun/../reset'])(
  'no member sends others to %s',
  (gun) => {
    expect(new Neighbours('a', seeded()).choose([beat('b', gun)], now)).toEqual([])
  },
)
