import { beforeEach, expect, test } from 'vitest'
import type { QuotaRecord } from '../library/index.ts'
import { DailyQuotaExceededError, ItemQuotaExceededError, StorageQuotaExceededError } from './errors.ts'
import { type Quota, Quotas, type QuotasOptions } from './quotas.ts'

const mib = 2 ** 20
let standard: Quota
let own: QuotaRecord
let used: { bytes: number; items: number; bytesToday: number }
let waiting: { bytes: number; items: number }
let now: number
let quotas: Quotas

beforeEach(() => {
  standard = { bytes: 0, items: 0, bytesPerDay: 0 }
  own = {}
  used = { bytes: 0, items: 0, bytesToday: 0 }
  waiting = { bytes: 0, items: 0 }
  now = 86_400_000 * 3 + 1000
  quotas = build({
    room: () => ({ take: () => undefined, end: () => undefined }),
    holds: () => false,
  })
})

const build = (options: Pick<QuotasOptions, 'room' | 'holds'>) =>
  new Quotas({
    store: {
      get: () => own,
      set: () => undefined,
      usage: () => used,
      owners: () => [],
      bytesOn: (_owner, day) => (day === 3 ? used.bytesToday : 0),
    },
    waiting: () => waiting,
    standard: () => standard,
    now: () => now,
    ...options,
  })

test('zero is no limit, and the operator has none', () => {
  quotas.admit('alice', 1e15).take(1e15)
  standard = { bytes: 1, items: 1, bytesPerDay: 1 }
  used = { bytes: 5, items: 5, bytesToday: 5 }
  quotas.admit('', 1e15).take(1e15)
  expect(() => quotas.admit('alice', 1)).toThrow(ItemQuotaExceededError)
})

test('the bytes of uploads under way count, until they end or are in the catalog', () => {
  standard.bytes = 100
  used.bytes = 40
  const first = quotas.admit('alice', 50)
  expect(() => quotas.admit('alice', 11)).toThrow(StorageQuotaExceededError)
  quotas.admit('alice', 10).end()
  quotas.admit('bob', 60).end()
  used.bytes = 90
  first.end()
  first.end()
  expect(() => quotas.admit('alice', 11)).toThrow(StorageQuotaExceededError)
  quotas.admit('alice', 10)
})

test('an upload that said less than it sends is stopped at the limit', () => {
  standard.bytes = 20 * mib
  const silent = quotas.admit('alice')
  silent.take(mib)
  // What was set aside ahead of its bytes is nobody else's.
  expect(() => quotas.admit('alice', 5 * mib)).toThrow(StorageQuotaExceededError)
  silent.take(19 * mib)
  expect(() => silent.take(1)).toThrow(StorageQuotaExceededError)
  silent.end()
  const liar = quotas.admit('alice', 10)
  expect(() => liar.take(21 * mib)).toThrow(StorageQuotaExceededError)
  liar.end()
  quotas.admit('alice', 20 * mib).end()
})

test('nothing begins without room for a byte', () => {
  standard.bytes = 10
  used.bytes = 10
  expect(() => quotas.admit('alice')).toThrow(StorageQuotaExceededError)
})

test('items under way count as items', () => {
  standard.items = 2
  used.items = 1
  const first = quotas.admit('alice', 1)
  expect(() => quotas.admit('alice', 1)).toThrow(ItemQuotaExceededError)
  first.end()
  quotas.admit('alice', 1)
})

test('what was uploaded in part waits for its own room', () => {
  standard.bytes = 100
  standard.items = 2
  waiting = { bytes: 70, items: 1 }
  expect(() => quotas.admit('alice', 31)).toThrow(StorageQuotaExceededError)
  quotas.admit('alice', 30).end()
  // The one that waits itself: its 70 bytes come, and no more than the others leave.
  const mine = quotas.admit('alice', 70, { counted: 70 })
  mine.take(70)
  mine.take(30)
  expect(() => mine.take(1)).toThrow(StorageQuotaExceededError)
  mine.end()
  quotas.admit('alice', 100, { counted: 70 }).end()
  expect(() => quotas.admit('alice', 101, { counted: 70 })).toThrow(StorageQuotaExceededError)
  waiting = { bytes: 100, items: 2 }
  quotas.admit('alice', 40, { counted: 40 })
  expect(() => quotas.admit('alice', 0)).toThrow(ItemQuotaExceededError)
})

test('room is for everybody, the operator too, and what is held needs none', () => {
  let free = 100
  const rooms: number[] = []
  quotas = build({
    room: () => {
      const at = rooms.push(0) - 1
      return {
        take: (bytes) => {
          if (bytes > free) throw new Error('full')
          free -= bytes
          rooms[at]! += bytes
        },
        end: () => {
          free += rooms[at]!
          rooms[at] = 0
        },
      }
    },
    holds: (sha256, owner) => sha256 === 'here' && owner === 'alice',
  })
  const operators = quotas.admit('', 60)
  operators.take(60)
  expect(() => quotas.admit('alice', 41)).toThrow('full')
  quotas.admit('alice', 41, { sha256: 'here' }).take(41)
  expect(() => quotas.admit('bob', 41, { sha256: 'here' })).toThrow('full')
  expect(() => operators.take(41)).toThrow('full')
  const silent = quotas.admit('alice')
  silent.take(40)
  expect(() => silent.take(1)).toThrow('full')
  silent.end()
  // Of one that waits the room is taken already but for what was not said before.
  quotas.admit('bob', 50, { counted: 10 }).take(50)
  operators.end()
  expect(free).toBe(60)
})

test('a day ends at midnight UTC', () => {
  standard.bytesPerDay = 100
  used.bytesToday = 80
  quotas.admit('alice', 20).end()
  expect(() => quotas.admit('alice', 21)).toThrow(DailyQuotaExceededError)
  expect(() => quotas.admit('alice', 21)).toThrow(expect.objectContaining({ retryAfterMs: 86_400_000 - 1000 }))
  now += 86_400_000
  quotas.admit('alice', 100)
})

test("an owner's own quota comes before what holds for all, each part by itself", () => {
  standard = { bytes: 10, items: 5, bytesPerDay: 10 }
  own = { bytes: 100, bytesPerDay: 0 }
  expect(quotas.of('alice')).toEqual({ bytes: 100, items: 5, bytesPerDay: 0 })
  quotas.admit('alice', 100)
})
