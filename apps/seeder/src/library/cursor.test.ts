import { InvalidInputError } from '@eldernode/core'
import { expect, test } from 'vitest'
import { formatCursor, parseCursor } from './cursor.ts'

test.each([0n, 1n, 1_700_000_000_000n << 21n, 2n ** 63n - 1n])('place %i comes back', (place) => {
  expect(parseCursor(formatCursor(place))).toBe(place)
})

const valid = formatCursor(1n)

test.each([
  '',
  'x',
  'null',
  valid.slice(0, -1),
  `${valid}A`,
  `${valid}=`,
  ` ${valid}`,
  valid.toUpperCase(),
  Buffer.alloc(9).toString('base64url'),
  Buffer.alloc(9, 1).toString('base64url'),
  Buffer.from('02ffffffffffffffff', 'hex').toString('base64url'),
  Buffer.alloc(29, 2).toString('base64url'),
  'A'.repeat(100_000),
  "' OR 1=1 --",
])('%j is refused', (cursor) => {
  expect(() => parseCursor(cursor)).toThrow(InvalidInputError)
})
