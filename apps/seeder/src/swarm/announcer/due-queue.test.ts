import { expect, test } from 'vitest'
import { DueQueue } from './due-queue.ts'

test('keys come in the order of their times, each once, at its latest time', () => {
  const queue = new DueQueue()
  const times = Array.from({ length: 500 }, (_, index) => (index * 7919) % 1_009)
  for (const [index, at] of times.entries()) queue.set(String(index), at + 5_000)
  for (const [index, at] of times.entries()) queue.set(String(index), at)
  queue.delete('3')
  expect(queue.next).toBe(Math.min(...times.filter((_, index) => index !== 3)))
  expect(queue.take(-1)).toBeUndefined()
  const taken: number[] = []
  for (let key = queue.take(2_000); key !== undefined; key = queue.take(2_000)) taken.push(times[Number(key)] ?? 0)
  expect(taken).toHaveLength(499)
  expect(taken).toEqual(taken.toSorted((a, b) => a - b))
  expect(queue.next).toBeUndefined()
  queue.set('again', 1)
  queue.clear()
  expect(queue.keys()).toEqual([])
  expect(queue.take(9)).toBeUndefined()
})
