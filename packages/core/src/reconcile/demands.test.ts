import { describe, expect, test } from 'vitest'
import { Demands } from './demands.ts'
import type { Asking } from './demands.ts'
import { HashSlots } from './hash-slots.ts'

const hash = (n: number): string => n.toString(16).padStart(8, '0').repeat(5)
const asking: Asking = { size: 1000, min: 2, target: 3, since: 100 }

/** The same numbers for the same seed. */
const numbers = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test.each([1, 2, 3])('slots say what a map says, whatever is added and deleted: seed %i', (seed) => {
  const next = numbers(seed)
  const [slots, oracle] = [new HashSlots(), new Map<string, number>()]
  for (let i = 0; i < 4_000; i++) {
    const item = hash(next(500))
    const known = oracle.get(item)
    const slot = next(5) < 3 ? slots.add(item) : undefined
    if (slot === undefined) {
      slots.delete(item)
      oracle.delete(item)
    } else oracle.set(item, slot)
    expect([slot ?? known, (slot ?? 0) < slots.room]).toEqual([known ?? slot, true])
    const other = hash(next(500))
    expect(slots.find(other)).toBe(oracle.get(other))
    expect(slots.size).toBe(oracle.size)
  }
  expect(new Set(oracle.values()).size).toBe(oracle.size)
  expect(new Map(slots)).toEqual(oracle)
  expect(slots.room).toBeLessThan(1000)
})

describe('Demands', () => {
  test('the last word of a publisher counts, and the item is gone with its last manifest', () => {
    const demands = new Demands()
    expect(demands.get(hash(1))).toBeUndefined()
    expect(demands.set('p', hash(1), undefined)).toBe(false)
    expect(demands.set('p', hash(1), asking)).toBe(true)
    expect(demands.set('p', hash(1), asking)).toBe(false)
    expect(demands.get(hash(1))).toEqual({ infoHash: hash(1), publishers: ['p'], ...asking, reached: false })
    expect(demands.set('p', hash(1), { ...asking, target: 5 })).toBe(true)
    expect(demands.get(hash(1))?.target).toBe(5)
    expect(demands.set('p', hash(1), undefined)).toBe(true)
    expect([demands.get(hash(1)), demands.size, [...demands]]).toEqual([undefined, 0, []])
  })

  test('of two publishers the greater numbers and the earlier time count, while both ask', () => {
    const demands = new Demands()
    demands.set('p', hash(1), asking)
    demands.set('q', hash(1), { size: 1000, min: 1, target: 9, since: 50 })
    expect(demands.get(hash(1))).toMatchObject({ publishers: ['p', 'q'], min: 2, target: 9, since: 50 })
    demands.set('p', hash(1), undefined)
    expect(demands.get(hash(1))).toMatchObject({ publishers: ['q'], min: 1, target: 9, since: 50 })
    demands.set('p', hash(1), asking)
    demands.set('q', hash(1), undefined)
    expect(demands.get(hash(1))).toEqual({ infoHash: hash(1), publishers: ['p'], ...asking, reached: false })
  })

  test('that a target was reached is kept while the item is asked for, by whomever', () => {
    const demands = new Demands()
    demands.reach(hash(1))
    demands.set('p', hash(1), asking)
    expect(demands.get(hash(1))?.reached).toBe(false)
    demands.reach(hash(1))
    demands.set('q', hash(1), asking)
    demands.set('p', hash(1), undefined)
    expect(demands.get(hash(1))?.reached).toBe(true)
    demands.set('q', hash(1), undefined)
    demands.set('q', hash(1), asking)
    expect(demands.get(hash(1))?.reached).toBe(false)
  })
})
