import { expect, test, vi } from 'vitest'
import { RepairRate } from './repair-rate.ts'

function repairRate(rate: number, itemDownloadLimit = 0) {
  const limited: string[] = []
  const swarm = {
    limitItem: (infoHash: string) => void limited.push(infoHash),
    limits: () => ({ itemDownloadLimit }) as ReturnType<ConstructorParameters<typeof RepairRate>[0]['swarm']['limits']>,
  }
  return { limited, rate: new RepairRate({ rate, swarm }) }
}

test('repairs that run share the rate, and get their own back when they end', () => {
  const { rate, limited } = repairRate(100)
  expect(rate.limit('a', {})).toEqual({})
  rate.set(['a'], 'copying')
  expect(rate.limit('a', {})).toEqual({ downloadLimit: 100 })
  rate.set(['a', 'b'], 'copying')
  expect(['a', 'b', 'c'].map((infoHash) => rate.limit(infoHash, { uploadLimit: 1 }))).toEqual([
    { uploadLimit: 1, downloadLimit: 50 },
    { uploadLimit: 1, downloadLimit: 50 },
    { uploadLimit: 1 },
  ])
  rate.set(['b'], 'copying')
  expect(rate.limit('a', {})).toEqual({})
  // The swarm is told of each whose limit is another now.
  expect(limited).toEqual(['a', 'a', 'b', 'a', 'b'])
})

test('what is mended shares the rate with the copies', () => {
  const { rate, limited } = repairRate(100)
  rate.set(['a'], 'copying')
  rate.set(['b'], 'mending')
  expect(['a', 'b'].map((infoHash) => rate.limit(infoHash, {}).downloadLimit)).toEqual([50, 50])
  rate.set([], 'copying')
  expect(['a', 'b'].map((infoHash) => rate.limit(infoHash, {}).downloadLimit)).toEqual([undefined, 100])
  rate.set([], 'mending')
  expect([rate.limit('b', {}), limited]).toEqual([{}, ['a', 'a', 'b', 'a', 'b', 'b']])
})

test('what came at once holds its place until its share of the rate makes up for it', async () => {
  vi.useFakeTimers()
  const { rate } = repairRate(100)
  rate.set(['a', 'b'], 'copying')
  const ended: string[] = []
  const abort = new AbortController()
  void rate.pay(100, 500, abort.signal).then(() => ended.push('a'))
  void rate.pay(1000, 0, abort.signal).then(() => ended.push('b'))
  await rate.pay(100, 2000, abort.signal)
  await vi.advanceTimersByTimeAsync(1499)
  expect(ended).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(ended).toEqual(['a'])
  abort.abort()
  await vi.advanceTimersByTimeAsync(0)
  expect([ended, vi.getTimerCount()]).toEqual([['a', 'b'], 0])
  await repairRate(0).rate.pay(1000, 0, new AbortController().signal)
  vi.useRealTimers()
})

test('a lower limit of the item, or of every item, stays; and no rate is no limit', () => {
  const { rate } = repairRate(100, 30)
  rate.set(['a'], 'copying')
  expect(rate.limit('a', {}).downloadLimit).toBe(30)
  expect(rate.limit('a', { downloadLimit: 20 }).downloadLimit).toBe(20)
  expect(rate.limit('a', { downloadLimit: 200 }).downloadLimit).toBe(100)
  expect(rate.limit('a', { downloadLimit: 0 }).downloadLimit).toBe(100)
  const free = repairRate(0)
  free.rate.set(['a'], 'copying')
  expect([free.rate.limit('a', {}), free.limited]).toEqual([{}, []])
})
