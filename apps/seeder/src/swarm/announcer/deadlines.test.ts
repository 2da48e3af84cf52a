import { expect, onTestFinished, test, vi } from 'vitest'
import { Deadlines } from './deadlines.ts'

test('each is over in its time, with one timer for all', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const over: string[] = []
  const deadlines = new Deadlines<string>(1_000, Date.now)
  deadlines.add('a', () => over.push('a'))
  deadlines.add('b', () => over.push('b'))
  await vi.advanceTimersByTimeAsync(600)
  deadlines.delete('b')
  deadlines.add('c', () => over.push('c'))
  // What is added again begins again.
  deadlines.add('a', () => over.push('late a'))
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(500)
  expect(over).toEqual([])
  await vi.advanceTimersByTimeAsync(700)
  expect(over).toEqual(['c', 'late a'])
  expect(vi.getTimerCount()).toBe(0)
  deadlines.add('d', () => {
    over.push('d')
    deadlines.add('e', () => over.push('e'))
  })
  await vi.advanceTimersByTimeAsync(3_000)
  expect(over.slice(2)).toEqual(['d', 'e'])
  deadlines.add('f', () => over.push('f'))
  deadlines.clear()
  expect(vi.getTimerCount()).toBe(0)
})
