import { expect, test, vi } from 'vitest'
import { ContentMismatchError, NoSourceError } from '../errors.ts'
import type { JobRecord } from '../../library/index.ts'
import { desk, events, job, microtasks, rank, transfers } from '../testing/desk.ts'
import { backOff, type Job } from './job.ts'
import type { TransfersOptions } from './transfers-options.ts'

test('runs no more than its concurrency, in order, each item once', async () => {
  const queue = transfers()
  for (const infoHash of ['a', 'b', 'c', 'a', 'c']) queue.add(job(infoHash))
  expect(desk.started).toEqual(['a', 'b'])
  expect(queue.queued).toBe(1)
  desk.open.get('a')!.resolve()
  await microtasks()
  expect(desk.started).toEqual(['a', 'b', 'c'])
  expect(queue.running).toBe(2)
  expect(queue.has('a')).toBe(false)
})

test('a failed item is tried again with doubling waits, and its reason is counted', async () => {
  const queue = transfers()
  queue.add(job('a'))
  for (const wait of [2_000, 4_000, 8_000]) {
    const tries = desk.started.length
    desk.open.get('a')!.reject(new NoSourceError('a'))
    await microtasks()
    await vi.advanceTimersByTimeAsync(wait - 1)
    expect(desk.started.length).toBe(tries)
    await vi.advanceTimersByTimeAsync(1)
    expect(desk.started.length).toBe(tries + 1)
  }
  expect(queue.failures).toEqual({ no_source: 3 })
  expect(events[0]).toBe('failed a no_source')
})

test('waits are told apart by chance, and no longer than five minutes, however often it failed', () => {
  expect([0, 1, 2].map((attempts) => backOff(attempts, () => 0))).toEqual([1_000, 2_000, 4_000])
  for (const attempts of [8, 20, 1_000]) {
    expect([0, 1].map((drawn) => backOff(attempts, () => drawn))).toEqual([150_000, 300_000])
  }
})

test('an item whose bytes were wrong is not tried again of its own accord', async () => {
  const queue = transfers()
  queue.add(job('a'))
  desk.open.get('a')!.reject(new ContentMismatchError('wrong'))
  await vi.advanceTimersByTimeAsync(10_000_000)
  expect(desk.started.length).toBe(1)
  expect(queue.has('a')).toBe(false)
  expect(queue.failures).toEqual({ content_mismatch: 1 })
})

test('a failure that nobody foresaw is counted and retried too, also when thrown at once', async () => {
  const queue = transfers({
    run: () => {
      throw new TypeError('unforeseen')
    },
  })
  queue.add(job('a'))
  await microtasks()
  expect(queue.failures).toEqual({ internal: 1 })
  expect(queue.running).toBe(0)
  expect(queue.queued).toBe(1)
  await queue.close()
})

test('an item that waits is due at once when it changed, and not when it is only asked for again', async () => {
  const queue = transfers()
  queue.add(job('a'))
  for (let i = 0; i < 5; i++) {
    desk.open.get('a')!.reject(new NoSourceError('a'))
    await microtasks()
    queue.add(job('a'))
    expect(desk.started.length).toBe(i + 1)
    queue.add(job('a'), true)
    expect(desk.started.length).toBe(i + 2)
  }
  await queue.close()
})

test('an item that waits for another publisher is fetched for the one who asked last', async () => {
  const jobs: Job[] = []
  const queue = transfers({
    run: (started, signal) => {
      jobs.push(started)
      return desk.run(started, signal)
    },
  })
  queue.add({ infoHash: 'a', publisher: 'p' })
  desk.open.get('a')!.reject(new NoSourceError('a'))
  await microtasks()
  queue.add({ infoHash: 'a', publisher: 'q' })
  await vi.advanceTimersByTimeAsync(2_000)
  expect(jobs.map(({ publisher }) => publisher)).toEqual(['p', 'q'])
  await queue.close()
})

test('a new source ends a long wait, but not more than every 15 s', async () => {
  const queue = transfers()
  queue.add(job('a'))
  for (const wait of [2_000, 4_000, 8_000, 16_000, 32_000]) {
    desk.open.get('a')!.reject(new NoSourceError('a'))
    await vi.advanceTimersByTimeAsync(wait)
  }
  expect(desk.started.length).toBe(6)
  desk.open.get('a')!.reject(new NoSourceError('a'))
  await vi.advanceTimersByTimeAsync(1_000)
  for (let i = 0; i < 13; i++) {
    queue.hurry(['a'])
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(desk.started.length).toBe(6)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(desk.started.length).toBe(7)
  await queue.close()
})

test('items that failed wait for those that did not', async () => {
  const queue = transfers({ concurrency: 1 })
  queue.add(job('failing'))
  desk.open.get('failing')!.reject(new NoSourceError('failing'))
  await microtasks()
  queue.add(job('a'))
  await vi.advanceTimersByTimeAsync(10_000)
  queue.add(job('b'))
  desk.open.get('a')!.resolve()
  await microtasks()
  expect(desk.started).toEqual(['failing', 'a', 'b'])
  desk.open.get('b')!.resolve()
  await microtasks()
  expect(desk.started).toEqual(['failing', 'a', 'b', 'failing'])
  await queue.close()
})

test('cancelling aborts a running item without counting a failure, and forgets a waiting one', async () => {
  const queue = transfers({ concurrency: 1 })
  queue.add(job('a'))
  queue.add(job('b'))
  await queue.cancel('b', 'retracted')
  await queue.cancel('a', 'retracted')
  expect(events).toEqual(['settled a'])
  expect(queue.failures).toEqual({})
  expect(desk.started).toEqual(['a'])
  expect(queue.has('a') || queue.has('b')).toBe(false)
})

test('a full queue refuses, and says when it has room again', async () => {
  const queue = transfers({ concurrency: 1, maxQueued: 2 })
  expect(['a', 'b', 'c', 'd'].map((infoHash) => queue.add(job(infoHash)))).toEqual([true, true, true, false])
  desk.open.get('a')!.resolve()
  await microtasks()
  expect(events).toEqual(['settled a', 'drained'])
  expect(queue.add(job('d'))).toBe(true)
})

test('close aborts what runs, waits for it, and starts nothing more', async () => {
  const queue = transfers()
  for (const infoHash of ['a', 'b', 'c']) queue.add(job(infoHash))
  await queue.close()
  expect([...desk.open.values()].every(({ signal }) => signal.aborted)).toBe(true)
  expect(desk.started).toEqual(['a', 'b'])
  expect(queue.running).toBe(0)
  queue.add(job('d'))
  await vi.advanceTimersByTimeAsync(600_000)
  expect(desk.started).toEqual(['a', 'b'])
})

test('what is below its least number of copies goes first, then the rarest, then the oldest', async () => {
  const queue = transfers({ concurrency: 1 })
  queue.add(job('first'))
  queue.add(job('young'), false, rank({ since: 2 }))
  queue.add(job('old'), false, rank())
  queue.add(job('rare'), false, rank({ rarity: 0, since: 3 }))
  queue.add(job('urgent'), false, rank({ urgent: true, rarity: 5, since: 4 }))
  queue.add(job('became urgent'), false, rank({ since: 5 }))
  queue.rank('became urgent', rank({ urgent: true, rarity: 0 }))
  for (const infoHash of ['first', 'became urgent', 'urgent', 'rare', 'old', 'young']) {
    expect(desk.started.at(-1)).toBe(infoHash)
    desk.open.get(infoHash)!.resolve()
    await microtasks()
  }
  expect(queue.running + queue.queued).toBe(0)
})

test('repairs have slots of their own, wait for their jitter, and are told as they begin and end', async () => {
  const repairing: string[][] = []
  const queue = transfers({ concurrency: 1, repairs: 2, repairing: (infoHashes) => repairing.push([...infoHashes]) })
  for (const n of [1, 2, 3]) queue.add(job(`new ${n}`))
  for (const n of [1, 2, 3]) queue.add(job(`repair ${n}`), false, rank({ lane: 'repair', delayMs: 5_000 }))
  expect(desk.started).toEqual(['new 1'])
  await vi.advanceTimersByTimeAsync(4_999)
  expect(desk.started).toEqual(['new 1'])
  await vi.advanceTimersByTimeAsync(1)
  expect(desk.started).toEqual(['new 1', 'repair 1', 'repair 2'])
  desk.open.get('repair 1')!.resolve()
  await microtasks()
  expect(desk.started.at(-1)).toBe('repair 3')
  expect(repairing).toEqual([['repair 1'], ['repair 1', 'repair 2'], ['repair 2'], ['repair 2', 'repair 3']])
})

test('large items leave slots to small ones', () => {
  const queue = transfers({ concurrency: 4, large: 1 })
  const large = 2 ** 20 + 1
  for (const n of [1, 2]) queue.add(job(`large ${n}`), false, rank({ size: large }))
  for (const n of [1, 2]) queue.add(job(`small ${n}`), false, rank({ since: 2 }))
  expect(desk.started).toEqual(['large 1', 'small 1', 'small 2'])
})

test('one that failed has a slot in the end, however many new ones come; and many that failed leave slots to new ones', async () => {
  const queue = transfers({ concurrency: 4, random: () => 0 })
  queue.add(job('fails'))
  desk.open.get('fails')!.reject(new NoSourceError('fails'))
  await microtasks()
  for (let n = 0; n < 10; n++) queue.add(job(`new ${n}`))
  await vi.advanceTimersByTimeAsync(1_000)
  desk.open.get('new 0')!.resolve()
  await microtasks()
  expect(desk.started.at(-1)).toBe('fails')

  const hopeless = transfers({ concurrency: 4, random: () => 0 })
  desk.started.splice(0)
  for (let n = 0; n < 4; n++) hopeless.add(job(`hopeless ${n}`))
  for (let n = 0; n < 4; n++) desk.open.get(`hopeless ${n}`)!.reject(new NoSourceError('x'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(desk.started.slice(4)).toEqual(['hopeless 0', 'hopeless 1'])
  hopeless.add(job('new'))
  expect(desk.started.at(-1)).toBe('new')
})

test('what waits is noted, with its reason, and an earlier run of the node is gone on with', async () => {
  const noted = new Map<string, JobRecord>()
  const store: TransfersOptions['store'] = {
    all: () => [...noted.values()],
    put: (record) => noted.set(record.infoHash, record),
    delete: (infoHash) => noted.delete(infoHash),
  }
  const queue = transfers({ store, random: () => 0.1234567 })
  for (const infoHash of ['fails', 'cancelled', 'done', 'runs']) queue.add(job(infoHash))
  expect([...noted.keys()]).toEqual(['fails', 'cancelled', 'done', 'runs'])
  desk.open.get('fails')!.reject(new NoSourceError('fails'))
  await queue.cancel('cancelled', 'x')
  await microtasks()
  desk.open.get('done')!.resolve()
  await microtasks()
  expect(queue.view('fails')).toMatchObject({ running: false, attempts: 1, reason: { code: 'no_source' } })
  expect(queue.view('runs')).toEqual({ lane: 'new', running: true, attempts: 0 })
  // As the catalog and the API have it: whole milliseconds.
  expect(Number.isInteger(queue.view('fails')?.notBefore)).toBe(true)
  await queue.close()
  expect([...noted.keys()].toSorted()).toEqual(['fails', 'runs'])
  expect(noted.get('fails')).toMatchObject({ lane: 'new', attempts: 1, reason: { code: 'no_source' } })

  desk.started.splice(0)
  noted.set('not wanted any more', { ...noted.get('runs')!, infoHash: 'not wanted any more' })
  const again = transfers({ store })
  for (const infoHash of ['fails', 'runs']) again.add(job(infoHash))
  expect(desk.started).toEqual(['runs'])
  expect(again.view('fails')).toMatchObject({ attempts: 1, reason: { code: 'no_source' } })
  again.sweep()
  expect([...noted.keys()].toSorted()).toEqual(['fails', 'runs'])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(desk.started).toEqual(['runs', 'fails'])
})

test('a full queue still takes what is urgent', () => {
  const queue = transfers({ concurrency: 1, maxQueued: 1 })
  expect(['runs', 'waits'].map((infoHash) => queue.add(job(infoHash)))).toEqual([true, true])
  expect(queue.add(job('too many'))).toBe(false)
  expect(queue.add(job('urgent'), false, rank({ urgent: true }))).toBe(true)
  expect(queue.add(job('too many urgent'), false, rank({ urgent: true }))).toBe(false)
})
