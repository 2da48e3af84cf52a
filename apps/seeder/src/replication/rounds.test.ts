import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Rounds } from './rounds.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('what fails keeps nothing else from being done, then or later', () => {
  const done: string[] = []
  const failures: unknown[] = []
  const fail = (): never => {
    throw new Error('the catalog cannot be read')
  }
  const rounds = new Rounds({
    ticks: [fail, () => void done.push('tick')],
    passes: [fail, () => void done.push('pass')],
    log: { error: (...about: unknown[]) => void failures.push(about) },
  })
  rounds.start()
  vi.advanceTimersByTime(300_000)
  expect(done).toEqual([...Array.from({ length: 60 }, () => 'tick'), 'pass'])
  expect(failures).toHaveLength(61)
  rounds.close()
  vi.advanceTimersByTime(300_000)
  expect([done.length, vi.getTimerCount()]).toEqual([61, 0])
})
