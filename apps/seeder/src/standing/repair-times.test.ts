import { expect, test } from 'vitest'
import { type Change, RepairTimes } from './repair-times.ts'

const told: [string, number][] = []
const times = new RepairTimes((kind, seconds) => told.push([kind, seconds]))
const see = (infoHash: string, before: Change['before'], after: Change['after'], at: number) =>
  times.see({ infoHash, before, after, at: at * 1000 })

test('counts from the fall below the target until it is met again, whatever was between', () => {
  see('a', undefined, 'at-target', 0)
  see('a', 'at-target', 'below-target', 10)
  see('a', 'below-target', 'lost', 12)
  see('a', 'lost', 'below-target', 20)
  expect([told, times.sums()]).toEqual([[], { count: 0 }])
  see('a', 'below-target', 'surplus', 30)
  expect(told).toEqual([['repair', 20]])
  see('a', 'surplus', 'at-target', 40)
  see('a', 'at-target', 'below-min', 50)
  see('a', 'below-min', 'at-target', 60)
  expect(told.splice(0)).toEqual([
    ['repair', 20],
    ['repair', 10],
  ])
  expect(times.sums()).toEqual({ count: 2, lastSeconds: 10, meanSeconds: 15 })
})

test('the first copies are no repair, and what is taken down is forgotten', () => {
  see('b', undefined, 'below-min', 0)
  see('b', 'below-min', 'at-target', 3)
  see('c', undefined, 'below-min', 0)
  see('c', 'below-min', undefined, 1)
  see('c', undefined, 'at-target', 50)
  expect(told.splice(0)).toEqual([['new', 3]])
  expect(times.sums().count).toBe(2)
})
