import { expect, test } from 'vitest'
import { Ends } from './ends.ts'

test('what has ended is told once, the first end of each, and never before', () => {
  const ends = new Ends()
  ends.add('a', 5000)
  ends.add('b', 5001)
  ends.add('c', 9000)
  ends.add('c', 5500)
  ends.add('c', 7000)
  expect(ends.take(4999)).toEqual([])
  expect(ends.take(5999)).toEqual(['a'])
  expect(ends.take(6000)).toEqual(['b', 'c'])
  expect(ends.take(60_000)).toEqual([])
})

test('what ended long ago is told at the next look, also after the clock went back', () => {
  const ends = new Ends()
  expect(ends.take(1e12)).toEqual([])
  ends.add('a', 1)
  expect(ends.take(1e12)).toEqual([])
  expect(ends.take(1e12 + 1000)).toEqual(['a'])
  ends.add('b', 70_000)
  ends.add('c', 80_000)
  expect(ends.take(1000)).toEqual([])
  ends.add('d', 60_000)
  expect(ends.take(60_000)).toEqual(['d'])
})

test('a leap of the clock over decades does not go through their seconds', () => {
  const ends = new Ends()
  ends.add('a', 1e12)
  ends.add('b', 4e15)
  expect(ends.take(0)).toEqual([])
  expect(ends.take(3e15)).toEqual(['a'])
  expect(ends.take(4e15)).toEqual(['b'])
})
