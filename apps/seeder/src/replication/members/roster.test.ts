import { createHash } from 'node:crypto'
import type { Heartbeat } from '@eldernode/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Roster } from './roster.ts'

const graceMs = 600_000
const gigabyte = 2 ** 30

const id = (name: string): string => createHash('sha256').update(name).digest('base64url')
const heartbeat = (changes: Partial<Heartbeat> = {}): Heartbeat => ({
  endpoints: { http: 'http://127.0.0.1:1' },
  zone: '',
  operator: '',
  state: 'active',
  capacity: { bytes: 100 * gigabyte, used: 0, free: 90 * gigabyte },
  load: { up: 0, down: 0, connections: 0 },
  counts: { items: 0, awake: 0, queue: 0 },
  version: '0',
  ...changes,
})

let roster: Roster
let changes: number
let appeared: string[]
let returned: number

/** Time passes for a node that is awake: it asks now and then, as each of its own heartbeats does. */
const pass = (ms: number) => {
  for (let left = ms; left > 0; left -= 15_000) {
    vi.advanceTimersByTime(Math.min(left, 15_000))
    roster.presence.isSettled()
  }
}
const see = (name: string, body = heartbeat()) => roster.see({ pub: id(name), ts: Date.now(), body })

beforeEach(() => {
  vi.useFakeTimers()
  changes = 0
  appeared = []
  returned = 0
  roster = new Roster({
    self: id('self'),
    graceMs,
    now: () => Date.now(),
    clock: () => performance.now(),
    changed: () => changes++,
    appeared: (node) => appeared.push(node),
    returned: () => returned++,
  })
})

afterEach(() => {
  roster.close()
  vi.useRealTimers()
})

test('a member lives for the grace time after its last heartbeat', () => {
  see('a')
  see('b')
  expect([changes, roster.size]).toEqual([2, 2])
  pass(graceMs / 2)
  see('a')
  pass(graceMs / 2 + 1_000)
  expect(roster.peers().map((peer) => peer.id)).toEqual([id('a')])
  // Both came, there was more to conclude from after a minute, one died.
  expect(changes).toBe(4)
  pass(graceMs)
  expect(roster.size).toBe(0)
})

test('a member that missed three heartbeats is suspected until it is heard again', () => {
  see('a')
  vi.advanceTimersByTime(45_000)
  expect(roster.get(id('a'))?.suspected).toBe(false)
  vi.advanceTimersByTime(1)
  expect([roster.get(id('a'))?.suspected, roster.peers()[0]?.suspected]).toEqual([true, true])
  see('a')
  expect(roster.get(id('a'))?.suspected).toBe(false)
})

test('a suspected member that is heard again is told of, whatever it says; one that is not suspected is not', () => {
  const said = heartbeat()
  see('a', said)
  pass(45_000)
  see('a', said)
  expect(returned).toBe(0)
  pass(45_001)
  roster.see({ pub: id('a'), ts: 1, body: said })
  expect(returned).toBe(0)
  see('a', said)
  see('a', said)
  expect([returned, changes]).toEqual([1, 2])
})

test('a heartbeat that says the same moves nothing, and each member appears once', () => {
  for (let i = 0; i < 4; i++) {
    see('a')
    vi.advanceTimersByTime(15_000)
  }
  expect(changes).toBe(1)
  expect(appeared).toEqual([id('a')])
})

test.each([
  ['zone', heartbeat({ zone: 'north' })],
  ['state', heartbeat({ state: 'draining' })],
  ['capacity', heartbeat({ capacity: { bytes: 200 * gigabyte, used: 0, free: 90 * gigabyte } })],
  ['room by an order of magnitude', heartbeat({ capacity: { bytes: 100 * gigabyte, used: 0, free: gigabyte } })],
])('a change of %s moves placements', (_, changed) => {
  see('a')
  vi.advanceTimersByTime(15_000)
  see('a', changed)
  expect(changes).toBe(2)
})

test('all is looked at again when what was put off may be done', () => {
  see('a')
  pass(45_000)
  see('a')
  expect(changes).toBe(1)
  pass(15_000)
  see('a')
  expect(changes).toBe(2)
  pass(30_000)
  see('b')
  expect([changes, roster.presence.isSettled()]).toEqual([3, false])
  pass(20_000)
  see('a')
  expect([changes, roster.presence.isSettled()]).toEqual([4, true])
})

test('a little less room moves nothing', () => {
  see('a')
  vi.advanceTimersByTime(15_000)
  see('a', heartbeat({ capacity: { bytes: 100 * gigabyte, used: gigabyte, free: 89 * gigabyte } }))
  expect(changes).toBe(1)
  expect(roster.candidates()[0]?.free).toBe(89 * gigabyte)
})

test('old heartbeats do not bring a dead member back, nor does a clock ahead keep one alive', () => {
  roster.see({ pub: id('a'), ts: Date.now() - graceMs, body: heartbeat() })
  expect(roster.size).toBe(0)
  roster.see({ pub: id('b'), ts: Date.now() + 240_000, body: heartbeat() })
  pass(graceMs + 1_000)
  expect(roster.size).toBe(0)
})

test('after close no timer is left, and nothing is taken any more', () => {
  see('a')
  roster.close()
  see('b')
  expect([roster.size, vi.getTimerCount()]).toEqual([1, 0])
})
