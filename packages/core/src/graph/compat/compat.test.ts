import { beforeEach, describe, expect, test } from 'vitest'
import { Compat } from './compat.ts'
import { maps } from './maps.ts'
import { MemoryCompatStore } from './memory-store.ts'
import type { CompatValue } from './port.ts'

const own = 'eldernodes/self'
let now: number
let store: MemoryCompatStore
let compat: Compat
let said: CompatValue[]
let refused: string[]
let faults: unknown[]

beforeEach(() => {
  now = 1_800_000_000_000
  store = new MemoryCompatStore()
  said = []
  refused = []
  faults = []
  compat = new Compat({
    store,
    own,
    now: () => now,
    broadcast: (values) => said.push(...values),
    onFault: (error) => faults.push(error),
  })
})

const value = (soul: string, key: string, data: unknown, state = now): CompatValue => ({
  soul,
  key,
  state,
  value: JSON.stringify(data),
})
const take = (...values: CompatValue[]): CompatValue[] =>
  compat.take(values, { mayWrite: () => true, refuse: (reason) => void refused.push(reason) })

test('the greater state wins, of one state the greater text, whatever comes in one message', () => {
  expect(take(value('albums/a', 'title', 'b', 5), value('albums/a', 'title', 'a', 5))).toHaveLength(1)
  expect(take(value('albums/a', 'title', 'b', 5))).toEqual([])
  expect(take(value('albums/a', 'title', 'old', 4.5))).toEqual([])
  expect(compat.get('albums/a')).toEqual({ title: 'b' })
  take(value('albums/a', 'title', 'new', 5.001))
  expect(compat.get('albums/a')).toEqual({ title: 'new' })
  expect(refused).toEqual([])
})

test('what a node writes is linked from its map, said to all, and later than what lay there', () => {
  take(value('seed-requests/1', 'status', 'pending', now + 1000))
  compat.put('seed-requests/1', { status: 'seeding', count: 1, gone: null })
  expect(compat.get('seed-requests/1')).toEqual({ status: 'seeding', count: 1, gone: null })
  expect(compat.get('seed-requests')).toEqual({ 1: { '#': 'seed-requests/1' } })
  expect(said.map(({ soul, key }) => `${soul} ${key}`)).toEqual([
    'seed-requests/1 status',
    'seed-requests/1 count',
    'seed-requests/1 gone',
    'seed-requests 1',
  ])
  expect(said[0]?.state).toBeGreaterThan(now + 1000)
})

test('watchers are told of what others wrote, once for each node, and one that throws harms nobody', () => {
  const seen: string[] = []
  compat.watch('seed-requests', () => {
    throw new Error('a bug')
  })
  const end = compat.watch('seed-requests', (soul) => seen.push(soul))
  take(value('seed-requests/1', 'a', 1), value('seed-requests/1', 'b', 1), value('albums/1', 'a', 1))
  compat.put('seed-requests/2', { a: 1 })
  end()
  take(value('seed-requests/3', 'a', 1))
  expect(seen).toEqual(['seed-requests/1'])
  expect(faults).toHaveLength(2)
})

describe('is refused', () => {
  test.each([
    ['compat_own', value(own, 'lastSeen', 1)],
    ['compat_own', value('eldernodes', 'self', { '#': 'eldernodes/other' })],
    ['compat_soul', value('constructor', 'a', 1)],
    ['compat_size', value('previews/1', 'audioData', 'x'.repeat(1_500_000))],
    ['compat_size', value('_test', 'a', 'x'.repeat(1100))],
    ['future', value('albums/1', 'a', 1, 1_800_000_000_000 + 5 * 60_000 + 1)],
  ])('%s (%#)', (reason, bad) => {
    expect(take(bad)).toEqual([])
    expect(refused).toEqual([reason])
    expect(store.get(bad.soul, bad.key)).toBeUndefined()
  })

  test('more than a link, or all links together, may write; later it may again', () => {
    const values = Array.from({ length: 512 }, (_, n) => value(`interactions/${n}`, 'a', 1))
    const none = compat.take(values, { mayWrite: () => false, refuse: (reason) => void refused.push(reason) })
    expect([none.length, refused.length]).toEqual([0, 512])
    let taken = 0
    for (let n = 0; n < 100; n++) taken += take(...values.map((one) => ({ ...one, state: now + n }))).length
    expect(taken).toBeLessThan(25_000)
    expect(refused).toContain('compat_rate')
    now += 10_000
    expect(take(value('interactions/x', 'a', 1))).toHaveLength(1)
  })

  test.each([
    ['albums/1', { __proto__x: undefined }],
    ['albums/1', { constructor: 'x' }],
    ['albums/1', { _: 'x' }],
    ['albums/1', { '': 'x' }],
    ['albums/1', { a: Number.NaN }],
    ['albums/1', { a: ['list'] }],
    ['albums/1', { a: { '#': 'elsewhere' } }],
    ['albums/1', { a: { '#': 'albums/2', more: 1 } }],
    ['_test/1', { a: 'x'.repeat(2000) }],
    ['elsewhere', { a: 1 }],
    ['~', { a: 1 }],
  ])('as own data: %s %j', (soul, data) => {
    expect(() => compat.put(soul, data as never)).toThrow(/limits|public map/)
    expect(said).toEqual([])
  })
})

test('a full map loses what was written longest ago, and no other map anything', () => {
  take(value('albums/1', 'title', 'kept'))
  const total = maps['_test']!.total
  const text = 'x'.repeat(900)
  for (let n = 0; n < 1100; n++) {
    take(value(`_test/${n}`, 'a', text))
    expect(store.bytes('_test')).toBeLessThanOrEqual(total)
    now += 10
  }
  expect(store.get('_test/0', 'a')).toBeUndefined()
  expect(store.get('_test/1099', 'a')).toBeDefined()
  expect(store.bytes('_test')).toBeGreaterThan(total * 0.9)
  expect(compat.get('albums/1')).toEqual({ title: 'kept' })
})
