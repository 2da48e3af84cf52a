import { Demands } from '@eldernode/core'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Care, type CareOptions } from './care.ts'

test('a disk that takes nothing ends no tick; each tick writes some of what is noted', () => {
  const logged: string[] = []
  const flushed: unknown[] = []
  let expired = (): string[] => []
  const care = new Care({
    library: {
      jobs: {
        drainingSince: () => undefined,
        flush: (most: number) => {
          flushed.push(most)
          throw new Error('full')
        },
      },
    },
    network: { view: {}, unproven: { overdue: () => [] } },
    publications: { demands: new Demands(), expired: () => expired() },
    log: pino({ level: 'error' }, { write: (line) => void logged.push((JSON.parse(line) as { msg: string }).msg) }),
    clock: () => 1,
    now: () => 1,
  } as unknown as CareOptions)
  care.tick()
  expect(logged).toEqual(['what is to be copied could not be noted; tried again soon'])
  expired = () => {
    throw new Error('full')
  }
  care.tick()
  expect(logged).toHaveLength(3)
  expect(flushed).toEqual([2_000, 2_000])
})
