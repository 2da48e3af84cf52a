import { expect, test } from 'vitest'
import { Nearness } from './nearness.ts'

test('a member is as far as its last answers took, one slow answer moves it by a quarter', () => {
  const nearness = new Nearness()
  expect(nearness.of('a')).toBeUndefined()
  nearness.measured('a', 10)
  expect(nearness.of('a')).toBe(10)
  nearness.measured('a', 50)
  expect(nearness.of('a')).toBe(20)
})

test('the nearest comes first, but for who was never asked', () => {
  const nearness = new Nearness()
  nearness.measured('far', 200)
  nearness.measured('near', 2)
  expect(['far', 'new', 'near'].toSorted((a, b) => nearness.compare(a, b))).toEqual(['new', 'near', 'far'])
})

test('of many members those not measured for longest are forgotten', () => {
  const nearness = new Nearness()
  for (let i = 0; i < 10_000; i++) nearness.measured(`${i}`, 1)
  nearness.measured('0', 1)
  nearness.measured('new', 1)
  expect([nearness.of('0'), nearness.of('1'), nearness.of('new')]).toEqual([1, undefined, 1])
})
