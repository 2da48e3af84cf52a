import { expect, test } from 'vitest'
import { SteadyClock } from './steady-clock.ts'

const hour = 3_600_000

test('a clock that is set back has the time go on; one that is set on, or a sleep, is followed', () => {
  let [wall, up] = [1_800_000_000_000, 50]
  const start = wall
  const steady = new SteadyClock({ now: () => wall, clock: () => up })
  const pass = (ms: number): void => {
    wall += ms
    up += ms
  }
  pass(hour)
  expect([steady.now(), steady.ahead]).toEqual([start + hour, 0])
  wall -= 30 * hour
  expect([steady.now(), steady.ahead]).toEqual([start + hour, 30 * hour])
  pass(hour)
  expect([steady.now(), steady.ahead]).toEqual([start + 2 * hour, 30 * hour])
  wall += 40 * hour
  expect([steady.now(), steady.ahead]).toEqual([start + 12 * hour, 0])
})
