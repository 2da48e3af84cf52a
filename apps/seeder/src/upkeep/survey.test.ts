import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { SurveyRounds } from './survey.ts'
import { checked, fakeTime, folder, hold, library, reopen, upkeep } from './testing/keeping.ts'

test('a blob lost while the node was down is found by nobody asking', async () => {
  const [lost, kept] = [await hold('lost'), await hold('kept')]
  await reopen()
  await rm(library.blobPath(lost.sha256))
  await writeFile(join(folder, 'blobs', '7f', 'f'.repeat(64)), 'no blob of ours')
  fakeTime()
  upkeep.start()
  expect(library.get(lost.infoHash)).toBeDefined()
  await vi.advanceTimersByTimeAsync(20_000)
  await vi.waitUntil(
    async () => {
      await vi.advanceTimersByTimeAsync(250)
      return upkeep.stats().surveys === 1
    },
    { timeout: 20_000 },
  )
  expect(checked).toEqual([`${lost.infoHash} false`])
  expect(library.damaged()).toEqual([lost.infoHash])
  expect(library.get(kept.infoHash)).toBeDefined()
})

test('no more than 50 blobs a second are looked at, and later rounds take hours', async () => {
  fakeTime()
  const asked: number[] = []
  let left = 10
  const survey = (position: string, most: number) => {
    asked.push(most)
    left = left === 0 ? 9 : left - 1
    return Promise.resolve(left === 0 ? undefined : position)
  }
  const rounds = new SurveyRounds({ library: { survey }, log: pino({ level: 'silent' }) })
  rounds.start()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked).toEqual([12])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked.reduce((sum, most) => sum + most)).toBeLessThanOrEqual(60)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(rounds.rounds).toBe(1)
  const after = asked.length
  await vi.advanceTimersByTimeAsync(5 * 3_600_000)
  expect(asked.length - after).toBeLessThan(10)
  await vi.advanceTimersByTimeAsync(2 * 3_600_000)
  expect(rounds.rounds).toBe(2)
  await rounds.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a step that fails is tried again, and said once', async () => {
  fakeTime()
  const log = pino({ level: 'silent' })
  const said = vi.spyOn(log, 'error')
  const survey = vi.fn<() => Promise<undefined>>(() => Promise.reject(new Error('EIO')))
  const rounds = new SurveyRounds({ library: { survey }, log })
  rounds.start()
  await vi.advanceTimersByTimeAsync(25_000)
  expect(survey.mock.calls.length).toBeGreaterThan(5)
  expect(said).toHaveBeenCalledTimes(1)
  await rounds.close()
})

test('what cannot be read is said once a round', async () => {
  fakeTime()
  const log = pino({ level: 'silent' })
  const said = vi.spyOn(log, 'error')
  let steps = 0
  const survey = (position: string, _most: number, unreadable?: (error: unknown) => void) => {
    unreadable?.(new Error('EIO'))
    return Promise.resolve(++steps % 10 === 0 ? undefined : `${position}a`)
  }
  const rounds = new SurveyRounds({ library: { survey }, log })
  rounds.start()
  await vi.advanceTimersByTimeAsync(24_000)
  expect([rounds.rounds, said.mock.calls.length]).toEqual([1, 1])
  await vi.advanceTimersByTimeAsync(6 * 3_600_000)
  expect([rounds.rounds, said.mock.calls.length]).toEqual([2, 2])
  await rounds.close()
})
