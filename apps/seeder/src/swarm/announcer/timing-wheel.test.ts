import { expect, test } from 'vitest'
import { TimingWheel } from './timing-wheel.ts'

test('agrees with a Map over slots that are set, moved, dropped and come due', () => {
  const wheel = new TimingWheel(2, 64)
  const oracle = new Map<number, number>()
  const due: number[] = []
  let now = 0
  let seed = 1
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  let wrong = 0
  for (let turn = 0; turn < 50_000; turn++) {
    const slot = random(500)
    const kind = random(10)
    if (kind < 6) {
      // Many are further ahead than the wheel is long.
      const at = now + random(300)
      wheel.set(slot, at)
      oracle.set(slot, Math.max(at, now))
    } else if (kind < 8) {
      wheel.lists.remove(slot)
      oracle.delete(slot)
    } else {
      now += random(turn % 100 === 0 ? 200 : 3)
      due.length = 0
      wheel.advance(now, (taken) => due.push(taken))
      for (const taken of due) if ((oracle.get(taken) ?? Infinity) > now || !oracle.delete(taken)) wrong++
      for (const at of oracle.values()) if (at <= now) wrong++
      now++
    }
    if (wheel.lists.has(slot) !== oracle.has(slot)) wrong++
  }
  expect(wrong).toBe(0)
  expect(oracle.size).toBeGreaterThan(20)
  expect(new Set(wheel.latest())).toEqual(new Set(oracle.keys()))
  expect(wheel.next).toBeLessThanOrEqual(Math.min(...oracle.values()))
  wheel.empty(1)
  expect(wheel.next).toBeUndefined()
  const lane: number[] = []
  for (let slot = wheel.lists.first(1); slot !== undefined; slot = wheel.lists.after(slot)) lane.push(slot)
  expect(new Set(lane)).toEqual(new Set(oracle.keys()))
  expect(lane).toHaveLength(oracle.size)
})

test('what is due comes in the order of time, even after a long sleep', () => {
  const wheel = new TimingWheel(0, 1_000)
  for (let slot = 0; slot < 300; slot++) wheel.set(slot, 300 - slot)
  const due: number[] = []
  wheel.advance(900, (slot) => due.push(slot))
  expect(due).toEqual(Array.from({ length: 300 }, (_, index) => 299 - index))
  // What is set for a time that is over comes next.
  wheel.set(7, 5)
  wheel.advance(901, (slot) => due.push(slot))
  expect(due.at(-1)).toBe(7)
})
