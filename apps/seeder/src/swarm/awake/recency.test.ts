import { expect, test } from 'vitest'
import { Recency } from './recency.ts'

function things(...times: number[]) {
  const recency = new Recency<{ name: number; usedAt: number }>()
  const all = times.map((usedAt, name) => ({ name, usedAt }))
  for (const thing of all) recency.add(thing)
  return { recency, all }
}

test('the first is the one not used for the longest time, whenever its use was noted', () => {
  const { recency, all } = things(1, 2, 3)
  expect(recency.first()).toEqual({ thing: all[0], at: 1 })
  Object.assign(all[0] ?? {}, { usedAt: 10 })
  expect(recency.first()).toEqual({ thing: all[1], at: 2 })
  Object.assign(all[1] ?? {}, { usedAt: 11 })
  Object.assign(all[2] ?? {}, { usedAt: 12 })
  expect(recency.first()).toEqual({ thing: all[0], at: 10 })
})

test('the oldest that fits is found, and those that do not fit are not looked at first again', () => {
  const { recency, all } = things(1, 2, 3, 4)
  const looked: number[] = []
  const oldest = recency.oldest(50, (thing) => looked.push(thing.name) > 0 && thing.name === 2)
  expect(oldest).toBe(all[2])
  expect(looked).toEqual([0, 1, 2])
  looked.length = 0
  expect(recency.oldest(60, (thing) => looked.push(thing.name) > 0 && thing.name === 2)).toBe(all[2])
  expect(looked).toEqual([2])
})

test('a look for what is not there ends, and nothing is lost by it', () => {
  const { recency, all } = things(1, 2, 3)
  expect(recency.oldest(50, () => false)).toBeUndefined()
  expect(recency.size).toBe(3)
  expect([...recency]).toEqual(all)
  for (const thing of all) expect(recency.delete(thing)).toBe(true)
  expect(recency.delete(all[0] ?? { name: 9, usedAt: 9 })).toBe(false)
  expect(recency.first()).toBeUndefined()
  expect(recency.oldest(50, () => true)).toBeUndefined()
})
