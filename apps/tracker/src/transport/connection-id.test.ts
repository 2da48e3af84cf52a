import { expect, it } from 'vitest'
import { ConnectionIds } from './connection-id.ts'

it('accepts its own ids for one to two minutes, from the address they were sent to', () => {
  let now = 1_000_000_000_000
  const ids = new ConnectionIds(() => now)
  const id = ids.issue('1.2.3.4', 5)
  expect(id).toHaveLength(8)
  expect(ids.isValid(id, '1.2.3.4', 5)).toBe(true)
  expect(ids.isValid(id, '1.2.3.4', 6)).toBe(false)
  expect(ids.isValid(id, '1.2.3.5', 5)).toBe(false)
  expect(new ConnectionIds(() => now).isValid(id, '1.2.3.4', 5)).toBe(false)
  now += 60_000
  expect(ids.isValid(id, '1.2.3.4', 5)).toBe(true)
  now += 60_000
  expect(ids.isValid(id, '1.2.3.4', 5)).toBe(false)
})
