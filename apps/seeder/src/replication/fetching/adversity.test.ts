import { expect, test, vi } from 'vitest'
import { NoSourceError } from '../errors.ts'
import type { JobRecord } from '../../library/index.ts'
import { desk, events, job, microtasks, rank, transfers } from '../testing/desk.ts'
import type { Rank } from './rank.ts'
import type { TransfersOptions } from './transfers-options.ts'

test('a store that takes nothing holds no transfer up, and no slot', async () => {
  const store: TransfersOptions['store'] = {
    all: () => [],
    put: () => {
      throw new Error('full')
    },
    delete: () => {
      throw new Error('full')
    },
  }
  const queue = transfers({ store, concurrency: 1, fault: () => events.push('fault') })
  for (const infoHash of ['fails', 'done', 'waits']) queue.add(job(infoHash))
  desk.open.get('fails')!.reject(new NoSourceError('fails'))
  await microtasks()
  desk.open.get('done')!.resolve()
  await microtasks()
  await queue.cancel('waits', 'a test')
  expect(events.filter((event) => event !== 'fault')).toEqual([
    'failed fails no_source',
    'settled done',
    'settled waits',
  ])
  expect(events.filter((event) => event === 'fault')).toHaveLength(6)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(desk.started).toEqual(['fails', 'done', 'waits', 'fails'])
  await queue.close()
})

test('who is told and fails holds no transfer up, and no slot', async () => {
  const faults: unknown[] = []
  const fails = (): never => {
    throw new Error('a listener')
  }
  const listeners = { failed: fails, settled: fails, repairing: fails, drained: fails }
  const queue = transfers({ ...listeners, concurrency: 1, maxQueued: 1, fault: (error) => faults.push(error) })
  queue.add(job('repair'), false, rank({ lane: 'repair' }))
  for (const infoHash of ['fails', 'done', 'full']) queue.add(job(infoHash))
  desk.open.get('repair')!.resolve()
  desk.open.get('fails')!.reject(new NoSourceError('fails'))
  await microtasks()
  desk.open.get('done')!.resolve()
  await microtasks()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(desk.started).toEqual(['repair', 'fails', 'done', 'fails'])
  await queue.cancel('fails', 'a test')
  expect(queue.running + queue.queued).toBe(0)
  expect(faults.length).toBeGreaterThanOrEqual(6)
  await queue.close()
})

test('what waits is tried again when its time has passed, wherever the clock is set to', async () => {
  let set = Date.now()
  const queue = transfers({ now: () => set })
  queue.add(job('a'))
  desk.open.get('a')!.reject(new NoSourceError('a'))
  await microtasks()
  set -= 60 * 86_400_000
  expect(queue.view('a')?.notBefore).toBe(set + 2_000)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(desk.started).toEqual(['a', 'a'])
  await queue.close()
})

test('what was left by a run whose clock was ahead waits no longer than after a failure', async () => {
  const left: JobRecord = {
    infoHash: 'a',
    lane: 'new',
    addedAt: 1,
    attempts: 3,
    notBefore: Date.now() + 60 * 86_400_000,
  }
  const queue = transfers({ store: { all: () => [left], put: () => {}, delete: () => {} } })
  queue.add(job('a'))
  expect(desk.started).toEqual([])
  await vi.advanceTimersByTimeAsync(300_000)
  expect(desk.started).toEqual(['a'])
  await queue.close()
})

const unclaimed = rank({ urgent: true, unclaimed: true, rarity: 0 })

test('what nobody has comes after all others, in half of the slots, and gives up its place to them', async () => {
  const queue = transfers({ concurrency: 4, maxQueued: 10 })
  for (let n = 0; n < 12; n++) queue.add(job(`nobody's ${n}`), false, unclaimed)
  // It takes no place beside those that are not urgent, either.
  expect(queue.add(job("nobody's last"), false, unclaimed)).toBe(false)
  expect(desk.started).toEqual(["nobody's 0", "nobody's 1"])
  expect(queue.queued).toBe(10)
  for (const n of [0, 1, 2, 3]) expect(queue.add(job(`new ${n}`), false, rank())).toBe(true)
  expect(desk.started.slice(2)).toEqual(['new 0', 'new 1'])
  expect(queue.queued).toBe(10)
  expect(queue.has("nobody's 2") || queue.has("nobody's 3")).toBe(false)
  desk.open.get("nobody's 0")!.resolve()
  await microtasks()
  expect(desk.started.at(-1)).toBe('new 2')
  for (const [ended, next] of [
    // One slot is kept for what may well fail.
    ["nobody's 1", "nobody's 4"],
    ['new 0', 'new 3'],
    ['new 1', "nobody's 5"],
    ['new 2', "nobody's 5"],
  ]) {
    desk.open.get(ended!)!.resolve()
    await microtasks()
    expect(desk.started.at(-1)).toBe(next)
  }
  // Somebody says that it has one: it is begun at once.
  queue.rank("nobody's 9", rank())
  expect(desk.started.at(-1)).toBe("nobody's 9")
  await queue.close()
})

test('what failed most gives up its place to what was never tried', async () => {
  const queue = transfers({ concurrency: 2, maxQueued: 2, random: () => 0 })
  for (const infoHash of ['fails', 'fails more']) queue.add(job(infoHash), false, rank())
  desk.open.get('fails more')!.reject(new NoSourceError('fails more'))
  await vi.advanceTimersByTimeAsync(1_000)
  for (const infoHash of ['fails', 'fails more']) desk.open.get(infoHash)!.reject(new NoSourceError(infoHash))
  await microtasks()
  for (const n of [0, 1, 2]) expect(queue.add(job(`new ${n}`), false, rank())).toBe(true)
  expect(queue.has('fails')).toBe(true)
  expect(queue.has('fails more')).toBe(false)
  expect(queue.add(job('new 3'), false, rank())).toBe(true)
  expect(queue.has('fails')).toBe(false)
  expect(queue.add(job('new 4'), false, rank())).toBe(false)
  await queue.close()
})

test('ten thousand are queued, ranked, hurried and cancelled in a few steps each', async () => {
  vi.useRealTimers()
  const queue = transfers({ concurrency: 8, maxQueued: 20_000, run: () => Promise.reject(new NoSourceError('x')) })
  const hashes = Array.from({ length: 10_000 }, (_, n) => `item ${n}`)
  let looks = 0
  const watched = (change: Partial<Rank> = {}): Rank => ({
    ...rank(change),
    // Whoever compares two items asks this of both.
    get unclaimed() {
      looks++
      return false
    },
  })
  /** How often an item is looked at for each of ten thousand things that are done: the line is 13 halvings long. */
  const looksOf = (what: (infoHash: string) => void): number => {
    looks = 0
    hashes.forEach(what)
    return looks / hashes.length
  }
  expect(looksOf((infoHash) => queue.add(job(infoHash), false, watched()))).toBeLessThan(200)
  await vi.waitFor(() => expect(events).toHaveLength(10_000), { timeout: 60_000, interval: 5 })
  expect(looksOf((infoHash) => queue.rank(infoHash, watched({ rarity: 2 })))).toBeLessThan(200)
  looks = 0
  queue.hurry(hashes)
  expect(looks / hashes.length).toBeLessThan(200)
  expect(looksOf((infoHash) => queue.hurry([infoHash]))).toBeLessThan(200)
  expect(looksOf((infoHash) => void queue.cancel(infoHash, 'a test'))).toBeLessThan(200)
  expect(queue.queued).toBe(0)
  await queue.close()
}, 90_000)
