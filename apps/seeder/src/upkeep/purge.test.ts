import { rm } from 'node:fs/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Purge } from './purge.ts'
import { fakeTime, hold, library } from './testing/keeping.ts'

const hour = 3_600_000

let purge: Purge
let knowsTime: boolean
beforeEach(() => {
  knowsTime = true
  purge = new Purge({ library, now: () => Date.now(), knowsTime: () => knowsTime, log: pino({ level: 'silent' }) })
})
afterEach(() => purge.close())

const purged = (count: number) => vi.waitUntil(() => purge.purged === count, { timeout: 15_000 })

test('retracted items go when they are due, not before, and live ones stay', async () => {
  const [soon, later, live] = [await hold('soon'), await hold('later'), await hold('live')]
  fakeTime()
  purge.look()
  library.retract(soon.infoHash, Date.now() + hour)
  library.retract(later.infoHash, Date.now() + 60 * 24 * hour)
  purge.look()
  await vi.advanceTimersByTimeAsync(hour - 1)
  expect(library.get(soon.infoHash)).toBeDefined()
  await vi.advanceTimersByTimeAsync(1)
  await purged(1)
  expect(library.get(soon.infoHash)).toBeUndefined()
  // Longer than one timer can wait.
  await vi.advanceTimersByTimeAsync(59 * 24 * hour)
  expect(library.get(later.infoHash)).toBeDefined()
  await vi.advanceTimersByTimeAsync(24 * hour)
  await purged(2)
  expect([...library.all()].map(({ infoHash }) => infoHash)).toEqual([live.infoHash])
})

test('a retraction that was undone in time purges nothing', async () => {
  const item = await hold('undone')
  fakeTime()
  purge.look()
  library.retract(item.infoHash, Date.now() + hour)
  purge.look()
  library.restore(item.infoHash)
  await vi.advanceTimersByTimeAsync(2 * hour)
  expect(library.get(item.infoHash)?.state).toBe('live')
  expect(purge.purged).toBe(0)
})

test('a clock that may be wrong purges nothing, and what is due goes when it is right', async () => {
  const item = await hold('by a wrong clock')
  fakeTime()
  library.retract(item.infoHash, Date.now() + hour)
  knowsTime = false
  vi.setSystemTime(Date.now() + 24 * 365 * hour)
  purge.look()
  await vi.advanceTimersByTimeAsync(hour)
  expect([purge.purged, library.get(item.infoHash)?.state]).toEqual([0, 'retracted'])
  knowsTime = true
  await vi.advanceTimersByTimeAsync(15_000)
  await purged(1)
})

test('what was due while the node was down goes at its start', async () => {
  const item = await hold('overdue')
  library.retract(item.infoHash, Date.now() - 1)
  purge.look()
  await purged(1)
  expect(library.get(item.infoHash)).toBeUndefined()
})

test('a retracted item whose bytes are damaged goes too, and is looked for once', async () => {
  const item = await hold('damaged')
  await rm(library.blobPath(item.sha256))
  expect(await library.check(item.infoHash)).toBe(false)
  library.retract(item.infoHash, Date.now() - 1)
  const looked = vi.spyOn(library, 'purgeable')
  purge.look()
  await purged(1)
  expect(library.damaged()).toEqual([])
  await vi.waitUntil(() => library.nextPurge() === undefined)
  expect(looked).toHaveBeenCalledTimes(1)
})

test('after close nothing is due any more', async () => {
  const item = await hold('closed')
  library.retract(item.infoHash, Date.now() + 60_000)
  fakeTime()
  purge.look()
  await purge.close()
  await vi.advanceTimersByTimeAsync(hour)
  expect(library.get(item.infoHash)).toBeDefined()
  expect(vi.getTimerCount()).toBe(0)
})
