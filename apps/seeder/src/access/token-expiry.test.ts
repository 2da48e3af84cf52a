import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TokenExpiry } from './token-expiry.ts'

const expiries = new Map<string, number>()
let ended: string[]
let expiry: TokenExpiry
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  expiries.clear()
  ended = []
  expiry = make()
})
afterEach(async () => {
  await expiry.close()
  vi.useRealTimers()
})

function make(): TokenExpiry {
  const between = (after: number, until: number) => [...expiries].filter(([, at]) => at > after && at <= until)
  return new TokenExpiry({
    store: {
      nextExpiry: (after) =>
        between(after, Infinity)
          .map(([, at]) => at)
          .toSorted((a, b) => a - b)[0],
      expired: (after, until) => between(after, until).map(([id]) => id),
    },
    ended: async (id) => {
      ended.push(id)
      if (id === 'stubborn') throw new Error('the disk is away')
    },
    now: () => Date.now(),
    log: { error: () => undefined },
  })
}

test('each ends at its time, once, and one that fails holds up no other', async () => {
  expiries.set('late', 1_060_000).set('stubborn', 1_010_000).set('soon', 1_010_000)
  expiry.look()
  await vi.advanceTimersByTimeAsync(9_000)
  expect(ended).toEqual([])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ended).toEqual(['stubborn', 'soon'])
  // Made later, and over earlier.
  expiries.set('brief', 1_020_000)
  expiry.look()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(ended).toEqual(['stubborn', 'soon', 'brief'])
  await vi.advanceTimersByTimeAsync(40_000)
  expect(ended).toEqual(['stubborn', 'soon', 'brief', 'late'])
})

test('those that expired while the node was off end when it is back', async () => {
  expiries.set('over', 999_000)
  expiry.look()
  await vi.advanceTimersByTimeAsync(0)
  expect(ended).toEqual(['over'])
})

test('one that expires in months is no timer too long for Node', async () => {
  expiries.set('far', 1_000_000 + 90 * 86_400_000)
  expiry.look()
  await vi.advanceTimersByTimeAsync(80 * 86_400_000)
  expect(ended).toEqual([])
  await vi.advanceTimersByTimeAsync(10 * 86_400_000)
  expect(ended).toEqual(['far'])
})
