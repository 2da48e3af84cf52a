import { expect, it } from 'vitest'
import { ConnectionIds, connectionSecret } from './connection-id.ts'

const home = Int32Array.of(0x7f000001, 0, 0, 0)

it('is good for its address and port only, and for one to two minutes', () => {
  let now = 90_000
  const ids = new ConnectionIds(() => now)
  ids.issue(home, 7000)
  const { high, low } = ids
  const isValid = (address = home, port = 7000) => ids.isValid(high, low, address, port)
  expect(isValid()).toBe(true)
  expect([isValid(home, 7001), isValid(Int32Array.of(0x7f000002, 0, 0, 0))]).toEqual([false, false])
  expect([ids.isValid(high + 1, low, home, 7000), ids.isValid(high, low ^ 1, home, 7000)]).toEqual([false, false])
  now = 179_999
  expect(isValid()).toBe(true)
  now = 180_000
  expect(isValid()).toBe(false)
})

it('is another one in every process', () => {
  const ids = [1, 2].map(() => new ConnectionIds(() => 0))
  for (const one of ids) one.issue(home, 1)
  expect(ids[0]?.low).not.toBe(ids[1]?.low)
})

it('is known to workers that share a secret and a clock, and to nobody else', () => {
  const secret = connectionSecret()
  const now = () => 60_000
  const [one, other, stranger] = [
    new ConnectionIds(now, secret),
    new ConnectionIds(now, secret),
    new ConnectionIds(now, connectionSecret()),
  ]
  const address = Int32Array.of(1, 2, 3, 4)
  one.issue(address, 6881)
  expect(other.isValid(one.high, one.low, address, 6881)).toBe(true)
  expect(other.isValid(one.high, one.low, address, 6882)).toBe(false)
  const { high, low } = one
  expect(stranger.isValid(high, low, address, 6881)).toBe(false)
})
