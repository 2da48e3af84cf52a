import { describe, expect, test } from 'vitest'
import { seal } from '../envelope/index.ts'
import { networkIdOf, WebIdentity } from '../identity/index.ts'
import { BUCKET_ITEMS } from './bucket.ts'
import { BucketFullError } from './errors.ts'
import { HashStates } from './hash-states.ts'
import { HolderIndex } from './holder-index.ts'
import { OwnHoldings } from './own-holdings.ts'
import { Pace } from './pace.ts'
import { holdingsSchema } from './schema.ts'
import type { Holdings } from './schema.ts'

const hash = (bucket: string, n: number): string => bucket + n.toString(16).padStart(38, '0')
const said = (change: Partial<Holdings>): Holdings => ({ held: [], releasing: [], refused: [], ...change })

describe('HolderIndex', () => {
  test('answers who holds, releases and refused an item', () => {
    const index = new HolderIndex()
    const [a, b] = [hash('0f', 1), hash('0f', 2)]
    expect(index.set('one', '0f', said({ held: [a, b] })).toSorted()).toEqual([a, b])
    index.set('two', '0f', said({ held: [a], refused: [b] }))
    index.set('three', '0f', said({ releasing: [a] }))
    expect(index.nodesWith(a, 'held').toSorted()).toEqual(['one', 'two'])
    expect(index.nodesWith(a, 'releasing')).toEqual(['three'])
    expect(index.nodesWith(b, 'refused')).toEqual(['two'])
    expect(index.stateOf('two', b)).toBe('refused')
    expect(index.stateOf('three', b)).toBeUndefined()
    expect(index.nodesWith(hash('aa', 1), 'held')).toEqual([])
    expect([index.count('one'), index.count('three'), index.count('nobody')]).toEqual([2, 1, 0])
  })

  test('a new word replaces the former one and tells what changed', () => {
    const index = new HolderIndex()
    const [a, b, c] = [hash('aa', 1), hash('aa', 2), hash('aa', 3)]
    index.set('one', 'aa', said({ held: [a, b] }))
    expect(index.set('one', 'aa', said({ held: [b, c] })).toSorted()).toEqual([a, c])
    expect(index.set('one', 'aa', said({ held: [b], releasing: [c] }))).toEqual([c])
    expect(index.set('one', 'aa', said({ held: [b], releasing: [c] }))).toEqual([])
    expect(index.set('one', 'aa', said({})).toSorted()).toEqual([b, c])
    expect(index.nodesWith(b, 'held')).toEqual([])
  })

  test('what a node says of public items and of others is kept apart, and found together', () => {
    const index = new HolderIndex()
    const [a, b] = [hash('aa', 1), hash('aa', 2)]
    index.set('one', 'aa', said({ held: [a] }))
    index.set('one', 'aa', said({ held: [b] }), true)
    index.set('two', 'aa', said({ refused: [b] }), true)
    expect([index.stateOf('one', a), index.stateOf('one', b), index.stateOf('two', b)]).toEqual([
      'held',
      'held',
      'refused',
    ])
    expect([index.nodesWith(a, 'held'), index.nodesWith(b, 'held'), index.count('one')]).toEqual([['one'], ['one'], 2])
    index.set('one', 'aa', said({}))
    expect([index.stateOf('one', a), index.stateOf('one', b)]).toEqual([undefined, 'held'])
    // An item that became public is said in both until the second word came.
    index.set('one', 'aa', said({ held: [b] }))
    expect(index.nodesWith(b, 'held')).toEqual(['one'])
    index.forget('one')
    expect(index.nodesWith(b, 'held')).toEqual([])
  })

  test('a node that is forgotten holds nothing', () => {
    const index = new HolderIndex()
    for (const bucket of ['00', 'ff']) index.set('one', bucket, said({ held: [hash(bucket, 1)] }))
    index.set('two', 'ff', said({ held: [hash('ff', 1)] }))
    index.forget('one')
    expect(index.count('one')).toBe(0)
    expect(index.nodesWith(hash('ff', 1), 'held')).toEqual(['two'])
  })

  test('finds every one of a full bucket, and none between them', () => {
    const index = new HolderIndex()
    const held = Array.from({ length: BUCKET_ITEMS }, (_, i) => hash('7f', 2 * i))
    index.set('one', '7f', said({ held }))
    expect(held.every((item) => index.stateOf('one', item) === 'held')).toBe(true)
    expect(held.some((_, i) => index.stateOf('one', hash('7f', 2 * i + 1)) !== undefined)).toBe(false)
  })
})

describe('HashStates', () => {
  test.each([1, 2, 3])('says what a plain map says, whatever is set and removed: seed %i', (seed) => {
    const [states, oracle] = [new HashStates(), new Map<string, number>()]
    let state = seed
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    for (let i = 0; i < 5_000; i++) {
      const [item, value] = [hash(['00', '7f', 'ff'][next(3)]!, next(200) * 0x1_0000_0001), next(4)]
      expect(states.set(item, value)).toBe((oracle.get(item) ?? 0) !== value)
      if (value === 0) oracle.delete(item)
      else oracle.set(item, value)
      expect(states.size).toBe(oracle.size)
      const other = hash('7f', next(200) * 0x1_0000_0001)
      expect(states.get(other)).toBe(oracle.get(other) ?? 0)
    }
    expect(oracle.size).toBeGreaterThan(100)
    expect([...states]).toEqual([...oracle].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
})

describe('OwnHoldings', () => {
  test('publishes sorted lists that fit the schema', () => {
    const own = new OwnHoldings()
    for (const n of [3, 1, 2]) expect(own.set(hash('aa', n), 'held')).toBe('aa')
    own.set(hash('aa', 2), 'releasing')
    own.set(hash('bb', 9), 'refused')
    expect(own.bucket('aa')).toEqual(said({ held: [hash('aa', 1), hash('aa', 3)], releasing: [hash('aa', 2)] }))
    expect(own.buckets()).toEqual(['aa', 'bb'])
    expect(holdingsSchema.parse(own.bucket('aa'))).toEqual(own.bucket('aa'))
    expect(own.get(hash('bb', 9))).toBe('refused')
  })

  test('tells only of changes, and an emptied bucket is still published', () => {
    const own = new OwnHoldings()
    expect(own.set(hash('aa', 1), undefined)).toBeUndefined()
    own.set(hash('aa', 1), 'held')
    expect(own.set(hash('aa', 1), 'held')).toBeUndefined()
    expect(own.set(hash('aa', 1), undefined)).toBe('aa')
    expect([own.buckets(), own.bucket('aa')]).toEqual([['aa'], said({})])
  })

  test('one item more than an envelope can say is an error, and the rest stands', () => {
    const own = new OwnHoldings()
    for (let i = 0; i < BUCKET_ITEMS; i++) own.set(hash('aa', i), 'held')
    expect(() => own.set(hash('aa', BUCKET_ITEMS), 'held')).toThrow(BucketFullError)
    expect(own.get(hash('aa', BUCKET_ITEMS))).toBeUndefined()
    expect(own.set(hash('aa', 1), 'releasing')).toBe('aa')
    expect(own.bucket('aa').held).toHaveLength(BUCKET_ITEMS - 1)
  })

  test('a full bucket fits an envelope', async () => {
    const own = new OwnHoldings()
    const states = ['held', 'releasing', 'refused'] as const
    for (let i = 0; i < BUCKET_ITEMS; i++) own.set(hash('aa', i), states[i % 3])
    const owner = await WebIdentity.generate()
    const letter = { kind: 'h', network: networkIdOf(owner.id), ts: Number.MAX_SAFE_INTEGER } as const
    expect((await seal({ ...letter, body: own.bucket('aa') }, owner)).length).toBeGreaterThan(64_000)
  })
})

describe('Pace', () => {
  test('a first change waits 200 ms, and later ones join it', () => {
    const pace = new Pace()
    pace.changed('aa', 1000)
    pace.changed('aa', 1150)
    expect(pace.nextAt()).toBe(1200)
    expect(pace.take(1199)).toBeUndefined()
    expect(pace.take(1200)).toBe('aa')
    expect([pace.take(1200), pace.nextAt()]).toEqual([undefined, undefined])
  })

  test('one bucket goes once in 10 s, others do not wait for it', () => {
    const pace = new Pace()
    pace.changed('aa', 0)
    expect(pace.take(200)).toBe('aa')
    pace.changed('aa', 300)
    pace.changed('bb', 300)
    expect(pace.take(500)).toBe('bb')
    expect(pace.nextAt()).toBe(10_200)
    expect(pace.take(10_199)).toBeUndefined()
    expect(pace.take(10_200)).toBe('aa')
    pace.changed('aa', 60_000)
    expect(pace.nextAt()).toBe(60_200)
  })

  test('all buckets together send 64 KB a second', () => {
    const pace = new Pace()
    for (let bucket = 0; bucket < 10; bucket++) pace.changed(`0${bucket}`, 0)
    let now = 0
    let sent = 0
    for (let at = pace.nextAt(); at !== undefined; at = pace.nextAt()) {
      now = at
      expect(pace.take(now)).toBeDefined()
      pace.published(32_768, now)
      sent++
    }
    expect([sent, now]).toEqual([10, 200 + 9 * 500])
  })

  test('the bucket that waited longest goes first', () => {
    const pace = new Pace()
    pace.changed('bb', 0)
    pace.changed('aa', 50)
    expect([pace.take(1000), pace.take(1000)]).toEqual(['bb', 'aa'])
  })
})
