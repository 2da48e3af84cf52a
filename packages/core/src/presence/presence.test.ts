import { beforeEach, describe, expect, test } from 'vitest'
import { toBase64url } from '../identity/index.ts'
import { Presence } from './presence.ts'
import type { Heartbeat } from './schema.ts'

const id = (n: number): string => toBase64url(new Uint8Array(32).fill(n))
const [self, other, third] = [id(1), id(2), id(3)]
const start = 1_800_000_000_000
const graceMs = 600_000

const heartbeat = (change: Partial<Heartbeat> = {}): Heartbeat => ({
  endpoints: { http: 'http://node.example' },
  zone: 'z',
  operator: 'o',
  state: 'active',
  capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 39 },
  load: { up: 0, down: 0, connections: 0 },
  counts: { items: 0, awake: 0, queue: 0 },
  version: '1',
  ...change,
})

let [clock, wall] = [0, start]
let presence: Presence
beforeEach(() => {
  ;[clock, wall] = [0, start]
  presence = new Presence({ self, graceMs, now: () => wall, clock: () => clock })
})

/** Time passes as it does for everybody, and this node's own heartbeats with it. */
const pass = (ms: number, ...also: [pub: string, skew: number][]): void => {
  for (const end = clock + ms; clock < end;) {
    const step = Math.min(15_000, end - clock)
    clock += step
    wall += step
    presence.see({ pub: self, ts: wall, body: heartbeat() })
    for (const [pub, skew] of also) presence.see({ pub, ts: wall + skew, body: heartbeat() })
  }
}

describe('a member', () => {
  test('is suspected after 45 s without a heartbeat, and dead after the grace time', () => {
    presence.see({ pub: other, ts: wall, body: heartbeat() })
    pass(45_000)
    expect(presence.isSuspected(other)).toBe(false)
    pass(1)
    expect([presence.isSuspected(other), presence.bury(), presence.live().length]).toEqual([true, [], 2])
    pass(graceMs - 45_002)
    expect([presence.bury(), presence.nextDeath()]).toEqual([[], 1])
    pass(1)
    expect([presence.bury(), presence.get(other)]).toEqual([[other], undefined])
    expect(presence.see({ pub: other, ts: start, body: heartbeat() })).toBe('old')
    expect(presence.see({ pub: other, ts: start + 1, body: heartbeat() })).toBe('appeared')
  })

  test.each([-240_000, 240_000])('whose clock is %i ms off lives and dies as the others do', (skew) => {
    pass(60_000, [other, skew])
    expect([presence.isSuspected(other), presence.isSettled()]).toEqual([false, true])
    pass(graceMs - 15_000)
    expect(presence.bury()).toEqual([])
    pass(15_000)
    expect(presence.bury()).toEqual([other])
  })

  test('lives with the second heartbeat although its clock is further behind than the grace time', () => {
    presence = new Presence({ self, graceMs: 120_000, now: () => wall, clock: () => clock })
    expect(presence.see({ pub: other, ts: wall - 240_000, body: heartbeat() })).toBe('old')
    expect(presence.see({ pub: other, ts: wall - 225_000, body: heartbeat() })).toBe('appeared')
    expect(presence.isSuspected(other)).toBe(false)
  })

  test('that a neighbour tells of does not live longer for it', () => {
    expect(presence.see({ pub: other, ts: wall - 240_000, body: heartbeat() })).toBe('appeared')
    expect(presence.isSuspected(other)).toBe(true)
    pass(graceMs - 240_000)
    expect(presence.bury()).toEqual([other])
  })

  test('moves placements when its zone, state, weight or the order of its room change', () => {
    let ts = wall
    const say = (change: Partial<Heartbeat>): string => presence.see({ pub: other, ts: ts++, body: heartbeat(change) })
    expect(say({})).toBe('appeared')
    expect(say({ capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 39 + 5 } })).toBe('same')
    expect(say({ capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 38 } })).toBe('moved')
    expect(say({ zone: 'y', capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 38 } })).toBe('moved')
    expect(say({ state: 'draining', zone: 'y', capacity: { bytes: 2 ** 40, used: 0, free: 2 ** 38 } })).toBe('moved')
    expect(presence.live().map(({ state }) => state)).toEqual(['draining'])
  })

  test('has the operator that its certificate names', () => {
    presence = new Presence({
      self,
      graceMs,
      now: () => wall,
      clock: () => clock,
      operatorOf: (one) => (one === other ? 'sworn' : undefined),
    })
    for (const pub of [other, third]) presence.see({ pub, ts: wall, body: heartbeat() })
    expect([presence.get(other)?.candidate.operator, presence.get(third)?.candidate.operator]).toEqual(['sworn', 'o'])
  })
})

describe('nothing is concluded', () => {
  test('in the first minute, nor while nobody else is heard', () => {
    pass(59_000, [other, 0])
    expect(presence.isSettled()).toBe(false)
    pass(1_000, [other, 0])
    expect(presence.isSettled()).toBe(true)
    presence.forget(other)
    expect(presence.isSettled()).toBe(false)
  })

  test('after this process was stopped: the others were not silent, it did not listen', () => {
    pass(120_000, [other, 0])
    clock += 2 * graceMs
    wall += 2 * graceMs
    expect([presence.bury(), presence.isSuspected(other), presence.isSettled()]).toEqual([[], false, false])
    pass(60_000, [other, 0])
    expect(presence.isSettled()).toBe(true)
  })

  test('from a wall clock that is put right', () => {
    pass(120_000, [other, 0])
    wall += 2 * graceMs
    expect([presence.bury(), presence.isSuspected(other)]).toEqual([[], false])
  })

  test.each([-250_000, 250_000])('by a node whose clock lies %i ms from most others', (skew) => {
    pass(120_000, [other, skew], [third, 0])
    expect([presence.isClockOff(), presence.isSettled(), presence.knowsTime()]).toEqual([false, true, true])
    pass(90_000, [other, skew], [third, skew])
    expect([presence.isClockOff(), presence.isSettled(), presence.knowsTime()]).toEqual([true, false, false])
    pass(15_000, [other, skew], [third, 0])
    // Its clock was put right: what it signs now is older than what it signed before.
    expect(presence.isClockOff()).toBe(skew > 0)
    pass(75_000, [other, skew], [third, 0])
    expect(presence.isClockOff()).toBe(false)
  })

  test('by a node whose heartbeats of others are refused for their time, unless they are old ones', () => {
    pass(120_000)
    const hour = 3_600_000
    presence.refused(self, wall - hour)
    presence.refused(other, wall - hour)
    presence.refused(other, wall - hour)
    expect([presence.isClockOff(), presence.knowsTime()]).toEqual([false, true])
    pass(15_000)
    presence.refused(other, wall - hour)
    expect([presence.isClockOff(), presence.knowsTime()]).toEqual([true, false])
    pass(15_000, [third, 0])
    expect(presence.isClockOff()).toBe(false)
    presence.forget(third)
    expect(presence.isClockOff()).toBe(true)
    pass(61_000)
    // Nobody is there any more to say so.
    expect([presence.isClockOff(), presence.knowsTime()]).toEqual([false, true])
  })

  test('by the wall clock in the first minute after a start, unless others agree with it', () => {
    pass(45_000)
    expect(presence.knowsTime()).toBe(false)
    presence.see({ pub: other, ts: wall, body: heartbeat() })
    expect(presence.knowsTime()).toBe(true)
    presence.forget(other)
    pass(15_000)
    expect(presence.knowsTime()).toBe(true)
  })

  test('while members come back one by one, though not by one that comes and goes', () => {
    pass(120_000, [other, 0])
    presence.see({ pub: third, ts: wall, body: heartbeat() })
    expect(presence.isSettled()).toBe(false)
    pass(20_000, [other, 0])
    expect(presence.isSettled()).toBe(true)
    presence.forget(third)
    presence.see({ pub: third, ts: wall, body: heartbeat() })
    expect(presence.isSettled()).toBe(true)
    pass(60_000, [other, 0])
    presence.forget(third)
    presence.see({ pub: third, ts: wall, body: heartbeat() })
    expect(presence.isSettled()).toBe(false)
  })
})
