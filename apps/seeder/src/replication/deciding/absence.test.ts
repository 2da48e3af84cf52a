import { expect, test } from 'vitest'
import type { StorageState } from '../../library/index.ts'
import { Absence } from './absence.ts'

const graceMs = 600_000

function away() {
  const given: { state: StorageState; time: number } = { state: 'here', time: 5_000 }
  const library = { storage: () => ({ folder: '/disk', state: given.state }) }
  return { given, absence: new Absence({ library, graceMs, clock: () => given.time }) }
}

test('a disk that is mounted anew within the grace time is away for no time', () => {
  const { given, absence } = away()
  for (let n = 0; n < 3; n++) {
    given.state = 'missing'
    expect(absence.isLong).toBe(false)
    given.time += graceMs - 1
    expect([absence.isLong, absence.ranOut()]).toEqual([false, false])
    given.state = 'here'
    expect([absence.isLong, absence.ranOut()]).toEqual([false, false])
    given.time += 10 * graceMs
  }
})

test('after the grace time it is gone, which is told once each time, whoever asked before', () => {
  const { given, absence } = away()
  for (const state of ['missing', 'foreign'] as const) {
    given.state = state
    expect(absence.isLong).toBe(false)
    given.time += graceMs
    expect(absence.isLong).toBe(true)
    expect([absence.ranOut(), absence.ranOut()]).toEqual([true, false])
    given.state = 'here'
    expect([absence.isLong, absence.ranOut()]).toEqual([false, false])
  }
})
